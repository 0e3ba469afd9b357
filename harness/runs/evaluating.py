"""Score a finished or stopped run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.config import MethodSettings, merged, validated
from harness.data import LoadedDataset
from harness.evaluation import MetricEntry
from harness.evaluation.entries import entry_key
from harness.experiment import WATCHING, Experiment
from harness.results.environment import describe_environment
from harness.results.evaluations import evaluations_of, put_before
from harness.results.record import build_record, read_record, write_record_file
from harness.runs.restoring import RestoredRun, check_same_data, newest_facts, restore_run
from harness.runs.scoring import measure, timed, training_cost
from harness.training.build import open_dataset
from harness.training.devices import choose_device
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

    Entries of the old record that were measured otherwise (another protocol or checkpoint) are kept, and so are its
    environment and the settings of its own end: what is new is listed as an evaluation. What the run cost and how it
    ended stays that of its last checkpoint, whichever is scored.

    :param overrides: settings of the group `evaluation`.
    :param data_root: where the data is now; None for where it was.
    :returns: the new record.
    """
    folder = RunFolder(path)
    folder.read_experiment()
    chosen = choose_device(device)
    old = read_record(folder.results) if folder.results.is_file() else None  # before any work, lest it be unreadable
    with folder.locked():
        run, experiment, dataset = _restored(catalog, folder, checkpoint, overrides or {}, data_root, chosen)
        entries, seconds = _measured(catalog, folder, run, experiment, dataset, chosen, reporter)
        newest = run.facts if checkpoint == "last" else newest_facts(folder)
        this = {
            "settings": experiment.settings.evaluation.model_dump(mode="json"),
            "environment": describe_environment(chosen, experiment.settings.precision),
        }
        before = evaluations_of(old) if old is not None else []
        evaluations, entries = put_before(this, entries, before, _kept_entries(old, entries, newest["total"]))
        record = build_record(
            experiment=_settings_of(old, run.experiment),
            recipe=run.experiment.recipe_id,
            data=dataset.record(),
            environment=this["environment"] if old is None else old["environment"],
            cost=training_cost(run.method, newest, seconds),
            entries=entries,
            exit_state="finished" if newest["finished"] else _stopped_how(old),
            reused=run.facts["reused"],
            evaluations=evaluations,
        )
        write_record_file(folder.results, record)
        return record


def record_again(
    catalog: Catalog,
    folder: RunFolder,
    record: Mapping[str, Any],
    *,
    reporter: Reporter,
    data_root: Path | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """The record that a run's checkpoints and data give under a record's evaluations; nothing is written.

    What no checkpoint tells is taken over: environments, the settings of its own end, and how long evaluating took.

    :raises UserError: where a checkpoint that the record's numbers are of is not there any more.
    """
    chosen = choose_device(device)
    evaluations = evaluations_of(record)
    wanted = {(e["evaluation"], e["subject"].get("checkpoint", "last")) for e in record["metrics"]}
    keys = {(e["evaluation"], entry_key(e)) for e in record["metrics"]}
    found: list[MetricEntry] = []
    last = None
    with folder.locked():
        for number, checkpoint in sorted(wanted):
            name, settings = checkpoint.removeprefix("step-"), evaluations[number]["settings"]
            restored = run, experiment, dataset = _restored(catalog, folder, name, settings, data_root, chosen)
            last = restored if name == "last" else last
            entries, _ = _measured(catalog, folder, run, experiment, dataset, chosen, reporter)
            found += [
                entry.model_copy(update={"evaluation": number})
                for entry in entries
                if (number, entry_key(entry.model_dump(mode="json"))) in keys
            ]
        run, experiment, dataset = last or _restored(catalog, folder, "last", {}, data_root, chosen)
    return build_record(
        experiment=_settings_of(record, experiment),
        recipe=experiment.recipe_id,
        data=dataset.record(),
        environment=record["environment"],
        cost=training_cost(run.method, run.facts, record["cost"]["evaluation_seconds"]),
        entries=found,
        exit_state="finished" if run.facts["finished"] else "stopped",
        reused=run.facts["reused"],
        evaluations=record["evaluations"],
    )


def _settings_of(record: Mapping[str, Any] | None, experiment: Experiment) -> dict[str, Any]:
    """An experiment as plain data, with the settings that only watch as a record has them, if there is one."""
    plain = experiment.record()
    if record is not None:
        plain["settings"] |= {key: value for key, value in record["settings"].items() if key in WATCHING}
    return plain


def _restored(
    catalog: Catalog,
    folder: RunFolder,
    checkpoint: str,
    overrides: Mapping[str, Any],
    data_root: Path | None,
    device: torch.device,
) -> tuple[RestoredRun, Experiment, LoadedDataset]:
    """A run as a checkpoint left it, and the experiment and data that it is measured with."""
    run = restore_run(catalog, folder, device, checkpoint)
    experiment = _with_evaluation(run.experiment, overrides)
    dataset = open_dataset(catalog, experiment, data_root or run.data_root)
    check_same_data(folder, dataset)
    return run, experiment, dataset


def _measured(
    catalog: Catalog,
    folder: RunFolder,
    run: RestoredRun,
    experiment: Experiment,
    dataset: LoadedDataset,
    device: torch.device,
    reporter: Reporter,
) -> tuple[list[MetricEntry], float]:
    return timed(
        reporter,
        lambda: measure(run.method, experiment, dataset, catalog, device, run.checkpoint, folder, reporter),
    )


def _with_evaluation(experiment: Experiment, overrides: Mapping[str, Any]) -> Experiment:
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
