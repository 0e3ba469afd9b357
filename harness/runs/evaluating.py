"""Score a finished or stopped run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.config import MethodSettings, merged, validated
from harness.data import LoadedDataset
from harness.evaluation import MetricEntry
from harness.experiment import Experiment
from harness.results.record import read_record
from harness.runs.restoring import RestoredRun, check_same_data, newest_facts, restore_run
from harness.runs.scoring import measure, save_record, timed, training_cost
from harness.training.build import open_dataset
from harness.training.devices import Runtime, choose_device
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder


def evaluate_run(
    catalog: Catalog,
    path: Path,
    *,
    reporter: Reporter,
    checkpoint: str = "last",
    overrides: dict[str, Any] | None = None,
    data_root: Path | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Evaluate a run's checkpoint and write its results.json.

    Entries of the old record that were measured otherwise (another protocol or checkpoint) are kept; what the run cost
    and how it ended stays that of its last checkpoint, whichever is scored.

    :param overrides: settings of the group `evaluation`.
    :param data_root: where the data is now; None for where it was.
    :returns: the new record.
    """
    folder = RunFolder(path)
    folder.read_experiment()
    chosen = choose_device(device)
    old = read_record(folder.results) if folder.results.is_file() else None  # before any work, lest it be unreadable
    with folder.locked():
        run, experiment, dataset, entries, seconds = _measured(
            catalog, folder, checkpoint, overrides or {}, data_root, chosen, reporter
        )
        newest = run.facts if checkpoint == "last" else newest_facts(folder)
        kept = _kept_entries(old, entries, newest["total"])
        state = "finished" if newest["finished"] else _stopped_how(old)
        cost = training_cost(run.method, newest, seconds)
        runtime = Runtime(chosen)
        return save_record(folder, experiment, dataset, [*entries, *kept], cost, runtime, state, run.facts["reused"])


def measure_again(
    catalog: Catalog,
    folder: RunFolder,
    record: dict[str, Any],
    *,
    reporter: Reporter,
    data_root: Path | None = None,
    device: str = "auto",
) -> list[dict[str, Any]]:
    """The entries that a run's checkpoints give under the evaluation settings of a record; nothing is written.

    :raises UserError: where a checkpoint that the record's numbers are of is not there any more.
    """
    chosen = choose_device(device)
    checkpoints = dict.fromkeys(entry["subject"].get("checkpoint", "last") for entry in record["metrics"])
    found = []
    with folder.locked():
        for checkpoint in checkpoints:
            name, overrides = str(checkpoint).removeprefix("step-"), record["settings"]["evaluation"]
            _, _, _, entries, _ = _measured(catalog, folder, name, overrides, data_root, chosen, reporter)
            found += [entry.model_dump(mode="json") for entry in entries]
    return found


def _measured(
    catalog: Catalog,
    folder: RunFolder,
    checkpoint: str,
    overrides: dict[str, Any],
    data_root: Path | None,
    device: torch.device,
    reporter: Reporter,
) -> tuple[RestoredRun, Experiment, LoadedDataset, list[MetricEntry], float]:
    """A run as a checkpoint left it, the experiment and data that it was measured with, its entries, and seconds."""
    run = restore_run(catalog, folder, device, checkpoint)
    experiment = _with_evaluation(run.experiment, overrides)
    dataset = open_dataset(catalog, experiment, data_root or run.data_root)
    check_same_data(folder, dataset)
    entries, seconds = timed(
        reporter,
        lambda: measure(run.method, experiment, dataset, catalog, device, run.checkpoint, folder, reporter),
    )
    return run, experiment, dataset, entries, seconds


def _with_evaluation(experiment: Experiment, overrides: dict[str, Any]) -> Experiment:
    values = merged(experiment.settings.model_dump(mode="json"), {"evaluation": overrides})
    settings: MethodSettings = validated(type(experiment.settings), values, f"method '{experiment.method}'")
    return replace(experiment, settings=settings)


def _kept_entries(old: dict[str, Any] | None, entries: list[MetricEntry], steps: int) -> list[MetricEntry]:
    """Old entries that were measured otherwise, of weights that still go by the same name.

    :param steps: of the last checkpoint; where the run has trained on since, "last" and "best" mean other weights.
    """
    if old is None:
        return []
    new = {_key(entry) for entry in entries}
    kept = [MetricEntry.model_validate(entry) for entry in old["metrics"]]
    moved = ("last", "best") if old["cost"]["steps"] != steps else ()
    return [entry for entry in kept if _key(entry) not in new and entry.subject.get("checkpoint") not in moved]


def _stopped_how(old: dict[str, Any] | None) -> str:
    """How an unfinished run ended, if it could still say so."""
    said: str = old["exit_state"] if old is not None else "stopped"
    return "stopped" if said == "finished" else said


def _key(entry: MetricEntry) -> tuple[Any, ...]:
    subject, replicate = sorted(entry.subject.items()), sorted(entry.replicate.items())
    return entry.protocol_id, tuple(subject), tuple(replicate)
