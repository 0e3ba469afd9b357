"""Files of results, found and read; what cannot be used is named and left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.errors import UserError
from harness.leaderboard.artefacts import CURVES, RESULTS, VERIFIED, Curves, curves_of, samples_of, verification_of
from harness.results.record import read_record
from harness.results.replicates import Replicate, identity, replicate_of
from harness.results.up_to_date import up_to_date

#: JSON files that lie beside records and are none
_OTHERS = {CURVES, VERIFIED, "experiment.json"}


@dataclass(frozen=True)
class ResultFile:
    """One record, and what lies beside it."""

    path: Path
    record: Mapping[str, Any]
    curves: Curves
    samples: Path | None
    verification: Mapping[str, Any] | None


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why.

    :param name: its place as seen from beside the folder that was searched: the same on every machine.
    """

    path: Path
    name: str
    reason: str


def read_results(places: Sequence[Path], catalog: Catalog) -> tuple[list[ResultFile], list[Skipped]]:
    """Every record below some folders (or in some files), by path and up to date, and what was left out.

    :raises UserError: where a place does not exist.
    """
    found: list[ResultFile] = []
    skipped: list[Skipped] = []
    seen: dict[tuple[str, Replicate], str] = {}
    for path, name in _paths(places):
        try:
            record = up_to_date(catalog, read_record(path))
        except UserError as error:
            skipped.append(Skipped(path, name, _without_path(error, path)))
            continue
        if record["exit_state"] not in ("finished", "diverged"):
            skipped.append(Skipped(path, name, f"the run is {record['exit_state']}, and has no result yet"))
            continue
        if record["exit_state"] == "finished" and not record["metrics"]:
            skipped.append(Skipped(path, name, "it holds no number: the run was not evaluated"))
            continue
        key = (identity(record), replicate_of(record))
        if key in seen:
            what = "experiment and seed" if key[1].fold is None else "experiment, seed and fold"
            skipped.append(Skipped(path, name, f"the same {what} as {seen[key]}"))
            continue
        seen[key] = name
        found.append(_with_artefacts(path, record))
    return found, skipped


def _paths(places: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Files that may be records, and what each is called."""
    known: set[Path] = set()
    for place in places:
        if place.is_file():
            paths = [place]
            beside = Path(*place.parts[:-3])
        elif place.is_dir():
            paths = sorted(path for path in place.rglob("*.json") if path.name not in _OTHERS)
            beside = place.parent
        else:
            raise UserError(f"no results at {place}", "name a folder of results, or a results.json")
        for path in paths:
            if path.resolve() not in known:
                known.add(path.resolve())
                yield path, path.relative_to(beside).as_posix()


def _with_artefacts(path: Path, record: Mapping[str, Any]) -> ResultFile:
    """A record that is called results.json owns what lies beside it; others share their folder with strangers."""
    if path.name != RESULTS:
        return ResultFile(path, record, {}, None, None)
    folder = path.parent
    return ResultFile(path, record, curves_of(folder), samples_of(folder), verification_of(folder))


def _without_path(error: UserError, path: Path) -> str:
    return str(error).removeprefix(f"{path} ").removeprefix(f"{path}: ")
