"""A run's record rebuilt from its artefacts: the checkpoint is loaded and measured again, number by number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.devices import choose_device
from harness.errors import UserError
from harness.files.checks import sha256_of
from harness.leaderboard.artefacts import VERIFIED
from harness.results.agreement import Agreement, compare
from harness.results.environment import describe_environment
from harness.results.record import read_record
from harness.results.up_to_date import up_to_date
from harness.runs.score_again import Opener, record_again
from harness.runs.stored_run import StoredRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder, write_atomically

SCHEMA_VERSION = 1


def verify_run(
    catalog: Catalog, path: Path, *, reporter: Reporter, data_root: Path | None = None, device: str = "auto"
) -> Agreement:
    """Make a finished run's record again from its checkpoints and data, compare, and leave ``verified.json``.

    The file names the record by its checksum, so that a record which is changed later is not verified any more. It goes
    where the run's own checkpoints or data do not bear the record out; a request that cannot be carried out says
    nothing of the run, and leaves the folder as it was.

    :raises UserError: where the folder is no run with a record and a checkpoint, or its data is not there.
    """
    stored = StoredRun.open(catalog, RunFolder(path))
    record = read_record(stored.folder.results)
    opener = Opener(catalog, stored, reporter, data_root, choose_device(device))
    stored.folder.check_idle()
    _ = opener.dataset.training()  # where it is not there, that is said before anything else
    if data_root is not None:
        stored.check_same_data(opener.dataset)
    with stored.taken():
        try:
            result = _agreement(catalog, opener, record)
        except UserError:
            (path / VERIFIED).unlink(missing_ok=True)
            raise
        if result.problems:
            (path / VERIFIED).unlink(missing_ok=True)
        else:
            _write(stored, result, opener.device)
        return result


def _agreement(catalog: Catalog, opener: Opener, record: Mapping[str, Any]) -> Agreement:
    again = record_again(opener, record)
    result = compare(up_to_date(catalog, record), again)
    if (record["exit_state"], again["exit_state"]) != ("finished", "finished"):
        return replace(result, problems=("the run did not finish", *result.problems))
    return result


def _write(stored: StoredRun, result: Agreement, device: torch.device) -> None:
    environment = describe_environment(device)
    said = {
        "schema_version": SCHEMA_VERSION,
        "results_sha256": sha256_of(stored.folder.results),
        "checkpoint_sha256": sha256_of(stored.seen[-1]),
        "numbers": result.compared,
        "largest_difference": {"of": result.largest_of, "share_of_allowed": result.largest},
        **{key: environment[key] for key in ("date", "harness", "commit", "platform", "device_name", "threads")},
    }
    write_atomically(stored.folder.path / VERIFIED, json.dumps(said, indent=2, allow_nan=False) + "\n")
