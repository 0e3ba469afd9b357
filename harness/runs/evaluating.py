"""Score a finished or stopped run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.config import MethodSettings, merged, validated
from harness.data import LoadedDataset
from harness.evaluation import MetricEntry
from harness.experiment import Experiment
from harness.results.record import read_record
from harness.runs.restoring import check_same_data, restore_run
from harness.runs.scoring import measure, save_record, training_cost
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

    Entries of the old record that were measured otherwise (another protocol or checkpoint) are kept.

    :param overrides: settings of the group `evaluation`.
    :param data_root: where the data is now; None for where it was.
    :returns: the new record.
    """
    folder = RunFolder(path)
    folder.read_experiment()
    chosen = choose_device(device)
    with folder.locked():
        run = restore_run(catalog, folder, chosen, checkpoint)
        experiment = _with_evaluation(run.experiment, overrides or {})
        dataset: LoadedDataset = open_dataset(catalog, experiment, data_root or run.data_root)
        check_same_data(folder, dataset)
        entries, seconds = measure(run.method, experiment, dataset, catalog, chosen, run.checkpoint, reporter)
        state = "finished" if run.facts["finished"] else "stopped"
        cost = training_cost(run.method, run.facts, seconds)
        kept = _kept_entries(folder, entries, run.facts["total"])
        runtime = Runtime(chosen)
        return save_record(folder, experiment, dataset, [*entries, *kept], cost, runtime, state, run.facts["reused"])


def _with_evaluation(experiment: Experiment, overrides: dict[str, Any]) -> Experiment:
    values = merged(experiment.settings.model_dump(mode="json"), {"evaluation": overrides})
    settings: MethodSettings = validated(type(experiment.settings), values, f"method '{experiment.method}'")
    return replace(experiment, settings=settings)


def _kept_entries(folder: RunFolder, entries: list[MetricEntry], steps: int) -> list[MetricEntry]:
    """Old entries that were measured otherwise, of the same weights."""
    if not folder.results.is_file():
        return []
    old = read_record(folder.results)
    if old["cost"]["steps"] != steps:
        return []
    new = {_key(entry) for entry in entries}
    kept = (MetricEntry.model_validate(entry) for entry in old["metrics"])
    return [entry for entry in kept if _key(entry) not in new]


def _key(entry: MetricEntry) -> tuple[Any, ...]:
    subject, replicate = sorted(entry.subject.items()), sorted(entry.replicate.items())
    return entry.protocol_id, tuple(subject), tuple(replicate)
