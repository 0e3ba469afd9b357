"""What is kept of a run for a leaderboard: its record, its learning curves, a grid of samples, and who verified it.

In a run's own folder these lie where the run put them. ``collect`` copies them to a folder of results, curves made
small: one number for each protocol and step, instead of whole entries.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.atomic import replacing
from harness.errors import UserError
from harness.experiment import run_name
from harness.results.record import read_record

RESULTS, CURVES, SAMPLES, VERIFIED = "results.json", "curves.json", "samples.png", "verified.json"

#: what a run's folder calls the same
_EVALUATIONS, _GRIDS = "evaluations.jsonl", "samples/step-*.png"

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
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CURVES, SAMPLES, VERIFIED):
            (folder / name).unlink(missing_ok=True)
        shutil.copyfile(run / RESULTS, folder / RESULTS)
        grid = samples_of(run)
        if grid is not None:
            shutil.copyfile(grid, folder / SAMPLES)
        if (run / VERIFIED).is_file():
            shutil.copyfile(run / VERIFIED, folder / VERIFIED)
        curves = curves_of(run)
        if curves:
            with replacing(folder / CURVES, "w") as handle:
                handle.write(json.dumps(curves, indent=0, allow_nan=False) + "\n")
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}") from error
    return folder


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
            return {
                str(key): tuple((int(step), float(value)) for step, value in points) for key, points in kept.items()
            }
        if (folder / _EVALUATIONS).is_file():
            return _joined((folder / _EVALUATIONS).read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError, OSError):
        return {}
    return {}


def _joined(text: str) -> Curves:
    """Lines of evaluations as one curve a protocol; of several subjects the first."""
    found: dict[str, dict[int, float]] = {}
    for line in text.splitlines():
        evaluation = json.loads(line)
        for entry in evaluation["metrics"]:
            found.setdefault(entry["protocol_id"], {}).setdefault(int(evaluation["step"]), float(entry["value"]))
    return {key: tuple(sorted(points.items())) for key, points in found.items()}


def verification_of(folder: Path) -> dict[str, Any] | None:
    """What ``verified.json`` beside a record says, if it is of this very record; None where it is not, or is absent."""
    try:
        said = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
        digest = hashlib.sha256((folder / RESULTS).read_bytes()).hexdigest()
    except (ValueError, OSError):
        return None
    return said if isinstance(said, dict) and said.get("results_sha256") == digest else None
