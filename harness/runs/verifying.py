"""A run's record rebuilt from its artefacts: the checkpoint is loaded and measured again, number by number."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.catalog import Catalog
from harness.evaluation.weights import sha256_of
from harness.leaderboard.artefacts import VERIFIED
from harness.results.agreement import Agreement, compare
from harness.results.environment import describe_environment
from harness.results.record import read_record
from harness.results.up_to_date import up_to_date
from harness.runs.evaluating import record_again
from harness.training.checkpoints import checkpoints_in
from harness.training.devices import choose_device
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder, write_atomically

SCHEMA_VERSION = 1


def verify_run(
    catalog: Catalog, path: Path, *, reporter: Reporter, data_root: Path | None = None, device: str = "auto"
) -> Agreement:
    """Make a finished run's record again from its checkpoints and data, compare, and leave ``verified.json``.

    The file names the record by its checksum, so that a record which is changed later is not verified any more.

    :raises UserError: where the folder is no run with a record and a checkpoint, or its data is not there.
    """
    folder = RunFolder(path)
    folder.read_experiment()
    record = read_record(folder.results)
    (path / VERIFIED).unlink(missing_ok=True)
    again = record_again(catalog, folder, record, reporter=reporter, data_root=data_root, device=device)
    result = compare(up_to_date(catalog, record), again)
    if (record["exit_state"], again["exit_state"]) != ("finished", "finished"):
        result = replace(result, problems=("the run did not finish", *result.problems))
    if not result.problems:
        _write(folder, result, device)
    return result


def _write(folder: RunFolder, result: Agreement, device: str) -> None:
    environment = describe_environment(choose_device(device))
    said = {
        "schema_version": SCHEMA_VERSION,
        "results_sha256": sha256_of(folder.results),
        "checkpoint_sha256": sha256_of(checkpoints_in(folder.checkpoints)[-1]),
        "numbers": result.compared,
        "largest_difference": {"of": result.largest_of, "share_of_allowed": result.largest},
        **{key: environment[key] for key in ("date", "harness", "commit", "platform", "device_name", "threads")},
    }
    write_atomically(folder.path / VERIFIED, json.dumps(said, indent=2, allow_nan=False) + "\n")
