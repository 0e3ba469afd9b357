"""What is kept of a run for a leaderboard: its record, its learning curves, a grid of samples, and who verified it.

In a run's own folder these lie where the run put them. ``collect`` copies them to a folder of results, curves made
small: one number for each protocol and step, instead of whole entries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.atomic import replacing
from harness.errors import UserError
from harness.experiment import run_name
from harness.results.record import check_plain, read_record

RESULTS, CURVES, SAMPLES, VERIFIED = "results.json", "curves.json", "samples.png", "verified.json"

#: what a run's folder calls the same
_EVALUATIONS, _GRIDS = "evaluations.jsonl", "samples/step-*.png"

#: beyond this no axis can be made
_DRAWABLE = 1e300

#: steps and values of each protocol
Curves = Mapping[str, tuple[tuple[int, float], ...]]


def collect(run: Path, results: Path) -> Path:
    """Copy what is kept of a finished run to ``results/METHOD/DATASET/VARIANT``, in place of what was there.

    :returns: the folder.
    :raises UserError: where the run has no valid record, or did not finish.
    """
    record = read_record(run / RESULTS)
    if record["exit_state"] not in ("finished", "diverged"):
        raise UserError(f"the run in {run} is no result: it is {record['exit_state']}", "go on with --resume")
    folder = results / run_name(record)
    try:
        kept = _kept(run)  # all of it before the first file is touched: the run may lie in the very folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in kept.items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
                continue
            with replacing(folder / name) as handle:
                handle.write(content)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}") from error
    return folder


def _kept(run: Path) -> dict[str, bytes | None]:
    """The files of a result by name; None for one that the run does not have."""
    grid, verified, curves = samples_of(run), run / VERIFIED, curves_of(run)
    return {
        RESULTS: (run / RESULTS).read_bytes(),
        SAMPLES: None if grid is None else grid.read_bytes(),
        VERIFIED: verified.read_bytes() if verified.is_file() else None,
        CURVES: (json.dumps(curves, indent=0, allow_nan=False) + "\n").encode() if curves else None,
    }


def samples_of(folder: Path) -> Path | None:
    """The latest grid of samples beside a record; None for none."""
    if (folder / SAMPLES).is_file():
        return folder / SAMPLES
    return max(folder.glob(_GRIDS), default=None)


def curves_of(folder: Path) -> Curves:
    """Learning curves beside a record, by protocol id; empty for none, or for what cannot be read."""
    try:
        if (folder / CURVES).is_file():
            kept = json.loads((folder / CURVES).read_text(encoding="utf-8"))
            return _finite({str(key): points for key, points in kept.items()})
        if (folder / _EVALUATIONS).is_file():
            return _joined((folder / _EVALUATIONS).read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, OSError):
        return {}
    return {}


def _finite(curves: Mapping[str, Iterable[tuple[Any, Any]]]) -> Curves:
    """Steps and values, without the points at which nothing could be measured and the curves that have no other."""
    found = {key: [(int(step), float(value)) for step, value in points] for key, points in curves.items()}
    kept = {key: tuple(each for each in points if abs(each[1]) <= _DRAWABLE) for key, points in found.items()}
    return {key: points for key, points in kept.items() if points}


def _joined(text: str) -> Curves:
    """Lines of evaluations as one curve a protocol; of several subjects the first."""
    found: dict[str, dict[int, float]] = {}
    for line in text.splitlines():
        evaluation = json.loads(line)
        for entry in evaluation["metrics"]:
            found.setdefault(entry["protocol_id"], {}).setdefault(int(evaluation["step"]), float(entry["value"]))
    return _finite({key: sorted(points.items()) for key, points in found.items()})


def verification_of(folder: Path) -> dict[str, Any] | None:
    """What ``verified.json`` beside a record says, if it is of this very record; None where it is not, or is absent."""
    try:
        said = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
        check_plain(said)
        digest = hashlib.sha256((folder / RESULTS).read_bytes()).hexdigest()
    except (ValueError, RecursionError, OSError):
        return None
    return said if isinstance(said, dict) and said.get("results_sha256") == digest else None
