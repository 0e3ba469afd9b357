"""A run's record rebuilt from its artefacts: the checkpoint is loaded and measured again, number by number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.evaluation.weights import sha256_of
from harness.experiment import CHANGED, run_name, training_settings
from harness.leaderboard.artefacts import VERIFIED
from harness.results.environment import describe_environment
from harness.results.record import read_record
from harness.results.replicates import entry_key
from harness.runs.evaluating import measure_again
from harness.runs.restoring import newest_facts
from harness.training.checkpoints import checkpoints_in
from harness.training.devices import choose_device
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder, write_atomically

SCHEMA_VERSION = 1

#: how far a number may lie from the recorded one: other machines add in another order
RELATIVE, ABSOLUTE = 1e-4, 1e-6


@dataclass(frozen=True)
class Verification:
    """What came of it.

    :param compared: numbers of the record that were measured again.
    :param problems: a line for each thing in the record that the artefacts do not bear out; empty where it is verified.
    :param largest: relative difference among the numbers.
    """

    compared: int
    problems: tuple[str, ...]
    largest: float


def verify_run(
    catalog: Catalog, path: Path, *, reporter: Reporter, data_root: Path | None = None, device: str = "auto"
) -> Verification:
    """Measure a finished run's last checkpoint again, hold its record against that, and leave ``verified.json``.

    The file names the record by its checksum, so that a record which is changed later is not verified any more.

    :raises UserError: where the folder is no run with a record and a checkpoint, or its data is not there.
    """
    folder = RunFolder(path)
    experiment = folder.read_experiment()
    record = read_record(folder.results)
    (path / VERIFIED).unlink(missing_ok=True)
    facts = newest_facts(folder)
    problems = _differing_facts(record, experiment, facts)
    again = measure_again(catalog, folder, record, reporter=reporter, data_root=data_root, device=device)
    found = {entry_key(entry): entry["value"] for entry in again}
    largest = 0.0
    for entry in record["metrics"]:
        name, old = entry["protocol_id"], entry["value"]
        new = found.get(entry_key(entry))
        if new is None:
            problems.append(f"{name} of {_subject(entry)} cannot be measured again with the recorded settings")
            continue
        difference = abs(new - old)
        largest = max(largest, difference / max(abs(old), ABSOLUTE))
        if difference > max(RELATIVE * abs(old), ABSOLUTE):
            problems.append(f"{name} is {new:.6g}, and {old:.6g} is recorded")
    if not record["metrics"]:
        problems.append("the record holds no number")
    result = Verification(len(record["metrics"]), tuple(problems), largest)
    if not problems:
        _write(folder, result, device)
    return result


def _differing_facts(record: dict[str, Any], experiment: dict[str, Any], facts: dict[str, Any]) -> list[str]:
    """What the record says of the run, and experiment.json or the last checkpoint otherwise."""
    recipe = experiment["recipe"] + (CHANGED if experiment["changed"] else "")
    pairs = [
        ("run", run_name(record), run_name(experiment)),
        ("recipe", record["recipe"], recipe),
        ("steps", record["cost"].get("steps"), facts["total"]),
        ("images_seen", record["cost"].get("images_seen"), facts["images"]),
        ("settings", training_settings(record["settings"]), training_settings(experiment["settings"])),
    ]
    problems = [f"{name} is {there}, and {here} is recorded" for name, here, there in pairs if here != there]
    if not facts["finished"] or record["exit_state"] != "finished":
        problems.append("the run did not finish")
    return problems


def _subject(entry: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in entry["subject"].items()) or "the method"


def _write(folder: RunFolder, result: Verification, device: str) -> None:
    environment = describe_environment(choose_device(device))
    said = {
        "schema_version": SCHEMA_VERSION,
        "results_sha256": sha256_of(folder.results),
        "checkpoint_sha256": sha256_of(checkpoints_in(folder.checkpoints)[-1]),
        "numbers": result.compared,
        "largest_relative_difference": result.largest,
        **{key: environment[key] for key in ("date", "harness", "commit", "platform", "device_name", "threads")},
    }
    write_atomically(folder.path / VERIFIED, json.dumps(said, indent=2, allow_nan=False) + "\n")
