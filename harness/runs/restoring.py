"""A trained method from a run's folder, with or without its data at hand."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.data import LoadedDataset, Problem
from harness.errors import CheckpointError, DataError, RunFolderError
from harness.experiment import Experiment, from_record, record_digest
from harness.methods import Method
from harness.training.build import build_method
from harness.training.checkpoints import apply_state, checkpoints_in, load_checkpoint
from harness.training.devices import Runtime
from harness.training.run_folder import RunFolder


@dataclass
class RestoredRun:
    """A run as its checkpoint left it.

    :param checkpoint: which one, as recorded in the subject ("last", "best", "step-200").
    :param facts: the checkpoint's content beside the state: steps, seconds, images seen, ...
    :param data_root: where its data was.
    """

    experiment: Experiment
    problem: Problem
    method: Method
    checkpoint: str
    facts: dict[str, Any]
    data_root: Path


def restore_run(catalog: Catalog, folder: RunFolder, device: torch.device, checkpoint: str = "last") -> RestoredRun:
    """Build the run's method and load a checkpoint.

    :param checkpoint: "last", "best", or a number of steps.
    :raises UserError: where the folder is no run, or the checkpoint is missing, broken or another run's.
    """
    record = folder.read_experiment()
    experiment = from_record(catalog, record, str(folder.experiment))
    try:
        values = record["problem"]
        problem = Problem(**{**values, "shape": tuple(values["shape"]), "classes": tuple(values["classes"])})
        data_root = Path(record["data_root"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder.experiment} does not say what data the run had") from error
    path = _checkpoint_path(folder, checkpoint)
    payload = load_checkpoint(path, torch.device("cpu"))
    if payload.get("experiment") != record_digest(record):
        raise CheckpointError(f"checkpoint {path} belongs to another experiment than {folder.experiment}")
    method, _ = build_method(experiment, problem, Runtime(device), catalog)
    _check_can_sample(method, payload, folder)
    apply_state(method.state(), payload["state"], str(path))
    name = f"step-{payload['total']}" if checkpoint not in ("last", "best") else checkpoint
    return RestoredRun(experiment, problem, method, name, _facts(payload), data_root)


def newest_facts(folder: RunFolder) -> dict[str, Any]:
    """What the run's last checkpoint says beside the state."""
    return _facts(load_checkpoint(_checkpoint_path(folder, "last"), torch.device("cpu")))


def _facts(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != "state"}


def run_facts(problem: Problem, dataset: LoadedDataset) -> dict[str, Any]:
    """What experiment.json says beside the experiment: the data that the run was given, and where it was."""
    return {
        "problem": dataclasses.asdict(problem),
        "data_root": str(dataset.root.absolute()),
        "train_checksum": dataset.training().checksum,
    }


def check_same_data(folder: RunFolder, dataset: LoadedDataset) -> None:
    """The training data is still what the run was started with.

    :raises DataError: where it is not.
    """
    recorded = folder.read_experiment().get("train_checksum")
    found = dataset.training().checksum
    if found != recorded:
        raise DataError(
            f"data set '{dataset.name}' at {dataset.root} is not what the run in {folder.path} was started with "
            f"(checksum {found[:12]}, then {str(recorded)[:12]})",
            "name the folder of the old data with --data-root",
        )


def _check_can_sample(method: Method, payload: dict[str, Any], folder: RunFolder) -> None:
    stages = list(method.stages())
    if payload["stage"] < len(stages) and not stages[payload["stage"]].samples:
        raise RunFolderError(
            f"the run in {folder.path} is still in stage '{stages[payload['stage']].name}', in which it cannot sample",
            f"go on with: harness run --out {folder.path} --resume",
        )


def _checkpoint_path(folder: RunFolder, checkpoint: str) -> Path:
    kept = checkpoints_in(folder.checkpoints)
    if checkpoint == "last":
        if not kept:
            raise RunFolderError(f"the run in {folder.path} has no checkpoint yet")
        return kept[-1]
    if checkpoint == "best":
        path = folder.checkpoints / "best.pt"
        if not path.is_file():
            raise RunFolderError(
                f"the run in {folder.path} kept no best checkpoint", "train with --set evaluation.best=METRIC"
            )
        return path
    steps = [path for path in kept if checkpoint.isdecimal() and int(path.stem.rpartition("-")[2]) == int(checkpoint)]
    if not steps:
        there = ", ".join(str(int(path.stem.rpartition("-")[2])) for path in kept) or "none"
        raise RunFolderError(
            f"the run in {folder.path} has no checkpoint '{checkpoint}'", f"give last, best or a step (kept: {there})"
        )
    return steps[0]
