"""Score a finished or stopped run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.contracts.settings import MethodSettings
from harness.data import LoadedDataset
from harness.devices import choose_device
from harness.errors import CheckpointError
from harness.evaluation import MetricEntry
from harness.evaluation.protocols.metric_entry import entry_key
from harness.experiment import WATCHING, Experiment
from harness.metric_settings import checked
from harness.overrides import merged, validated
from harness.results.environment import describe_environment
from harness.results.evaluations import evaluations_of, put_before
from harness.results.record import build_record, read_record, write_record_file
from harness.runs.score import check_measurable, measure, timed, training_cost
from harness.runs.stored_run import Restored, StoredRun
from harness.training.build import open_dataset
from harness.training.open_run import OpenRun
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
    :raises UserError: whatever the user can fix; the folder is left as it was.
    """
    stored = StoredRun.open(catalog, RunFolder(path))
    opener = Opener(catalog, stored, reporter, data_root, choose_device(device))
    old = read_record(stored.folder.results) if stored.folder.results.is_file() else None
    stored.folder.check_idle()
    scored = opener.scored(checkpoint, overrides or {})
    check_measurable(scored.run, scored.restored.method)
    with stored.taken():
        record = _scored_again(stored, scored, old)
        write_record_file(stored.folder.results, record)
        return record


def _scored_again(stored: StoredRun, scored: Scored, old: dict[str, Any] | None) -> dict[str, Any]:
    run, restored = scored.run, scored.restored
    entries, seconds = scored.measured()
    newest = restored.facts if restored.checkpoint == "last" else stored.newest_facts()
    this = {
        "settings": run.experiment.settings.evaluation.model_dump(mode="json"),
        "environment": describe_environment(run.device, run.experiment.settings.precision),
    }
    before = evaluations_of(old) if old is not None else []
    evaluations, entries = put_before(this, entries, before, _kept_entries(old, entries, newest["total"]))
    return build_record(
        experiment=_settings_of(old, stored.experiment),
        recipe=stored.experiment.recipe_id,
        data=run.dataset.record(),
        environment=this["environment"] if old is None else old["environment"],
        cost=training_cost(restored.method, newest, seconds),
        entries=entries,
        exit_state="finished" if newest["finished"] else _stopped_how(old),
        reused=restored.facts["reused"],
        evaluations=evaluations,
    )


def record_again(opener: Opener, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record that a run's checkpoints and data give under a record's evaluations; nothing is written.

    What no checkpoint tells is taken over: environments, the settings of its own end, and how long evaluating took.

    :raises UserError: where a checkpoint that the record's numbers are of is not there any more.
    """
    evaluations = evaluations_of(record)
    wanted = {(e["evaluation"], e["subject"].get("checkpoint", "last")) for e in record["metrics"]}
    keys = {(e["evaluation"], entry_key(e)) for e in record["metrics"]}
    found: list[MetricEntry] = []
    last = None
    for number, checkpoint in sorted(wanted):
        scored = opener.scored(checkpoint.removeprefix("step-"), evaluations[number]["settings"])
        last = scored if scored.restored.checkpoint == "last" else last
        entries, _ = scored.measured()
        found += [
            entry.model_copy(update={"evaluation": number})
            for entry in entries
            if (number, entry_key(entry.model_dump(mode="json"))) in keys
        ]
    last = last or opener.scored("last", {})
    run, facts = last.run, last.restored.facts
    return build_record(
        experiment=_settings_of(record, run.experiment),
        recipe=run.experiment.recipe_id,
        data=run.dataset.record(),
        environment=record["environment"],
        cost=training_cost(last.restored.method, facts, record["cost"]["evaluation_seconds"]),
        entries=found,
        exit_state="finished" if facts["finished"] else "stopped",
        reused=facts["reused"],
        evaluations=record["evaluations"],
    )


@dataclass(frozen=True)
class Scored:
    """A run opened under some evaluation settings, with its method as a checkpoint left it."""

    run: OpenRun
    restored: Restored

    def measured(self) -> tuple[list[MetricEntry], float]:
        """Its numbers, and the seconds that they took."""
        return timed(self.run.reporter, lambda: measure(self.run, self.restored.method, self.restored.checkpoint))


@dataclass(frozen=True)
class Opener:
    """Opens a stored run's checkpoints beside its data.

    :param data_root: where the data is now; None for where it was.
    """

    catalog: Catalog
    stored: StoredRun
    reporter: Reporter
    data_root: Path | None
    device: torch.device

    def scored(self, checkpoint: str, overrides: Mapping[str, Any]) -> Scored:
        """A checkpoint beside the data, to be measured under the run's evaluation settings with some overridden.

        :raises UserError: where either is not there, or not what the run had.
        """
        stored = self.stored
        experiment = _with_evaluation(self.catalog, stored.experiment, overrides)
        restored = stored.restored(self.catalog, self.device, checkpoint)
        stored.check_same_data(self.dataset)
        run = OpenRun(self.catalog, experiment, self.dataset, stored.folder, self.device, self.reporter, stored.digest)
        return Scored(run, restored)

    @cached_property
    def dataset(self) -> LoadedDataset:
        """The data that lies where the run's should, which may have changed.

        :raises UserError: where it is not there.
        """
        root = self.data_root or self.stored.data_root
        if root is None:
            raise CheckpointError(f"{self.stored.folder.experiment} does not say what data the run had")
        return open_dataset(self.catalog, self.stored.experiment, root)


def _settings_of(record: Mapping[str, Any] | None, experiment: Experiment) -> dict[str, Any]:
    """An experiment as plain data, with the settings that only watch as a record has them, if there is one."""
    plain = experiment.record()
    if record is not None:
        plain["settings"] |= {key: value for key, value in record["settings"].items() if key in WATCHING}
    return plain


def _with_evaluation(catalog: Catalog, experiment: Experiment, overrides: Mapping[str, Any]) -> Experiment:
    values = merged(experiment.settings.model_dump(mode="json"), {"evaluation": overrides})
    settings: MethodSettings = validated(type(experiment.settings), values, f"method '{experiment.method}'")
    settings = settings.model_copy(update={"evaluation": checked(catalog, settings.evaluation)})
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
