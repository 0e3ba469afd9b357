"""A run as it lies in its folder: experiment.json read once, and the method as a checkpoint left it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from harness.catalog import Catalog
from harness.contracts.method import Method
from harness.data import LoadedDataset, Problem
from harness.errors import CheckpointError, DataError, RunFolderError
from harness.experiment import Experiment, from_record, record_digest
from harness.results.record import read_record
from harness.training.build import build_method, declared_state
from harness.training.checkpoints import apply_state, checkpoints_in, load_checkpoint
from harness.training.run_folder import RunFolder
from harness.training.runtime import Runtime


@dataclass(frozen=True)
class Restored:
    """A method as a checkpoint left it.

    :param checkpoint: which one, as recorded in the subject ("last", "best", "step-200").
    :param facts: the checkpoint's content beside the state: steps, seconds, images seen, ...
    """

    method: Method
    checkpoint: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class StoredRun:
    """A run's folder.

    :param written: the content of experiment.json, as it was written.
    :param experiment: what it describes, with the defaults of settings that came later.
    :param seen: the checkpoints that there were.
    """

    folder: RunFolder
    written: Mapping[str, Any]
    experiment: Experiment
    seen: tuple[Path, ...]

    @classmethod
    def open(cls, catalog: Catalog, folder: RunFolder) -> StoredRun:
        """Read a folder; nothing in it changes.

        :raises UserError: where it is no run's, or its run needs what is not installed.
        """
        written = folder.read_experiment()
        experiment = from_record(catalog, written, str(folder.experiment))
        return cls(folder, written, experiment, tuple(checkpoints_in(folder.checkpoints)))

    @cached_property
    def digest(self) -> str:
        """What the run's checkpoints know it by."""
        return record_digest(self.written)

    @property
    def data_root(self) -> Path | None:
        """Where its data was; None where it does not say."""
        return Path(self.written["data_root"]) if isinstance(self.written.get("data_root"), str) else None

    @property
    def problem(self) -> Problem:
        """What its method was told of the data.

        :raises CheckpointError: where experiment.json does not say.
        """
        try:
            values = self.written["problem"]
            listed = {key: tuple(values[key]) for key in ("shape", "classes")}
            # a run from before there were attributes does not name any
            return Problem(**{**values, **listed, "attributes": tuple(values.get("attributes", ()))})
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"{self.folder.experiment} does not say what data the run had") from error

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.folder.results.is_file() and read_record(self.folder.results)["exit_state"] == "finished"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the folder, in which nothing has moved since it was read.

        :raises RunFolderError: where another process holds it, or has gone on with the run in between.
        """
        with self.folder.locked():
            if tuple(checkpoints_in(self.folder.checkpoints)) != self.seen:
                raise RunFolderError(f"the run in {self.folder.path} went on while this command began", "try again")
            yield

    def check_same_data(self, dataset: LoadedDataset) -> None:
        """The training data is still what the run was started with.

        :raises DataError: where it is not.
        """
        recorded, found = self.written.get("train_checksum"), dataset.training().checksum
        if found != recorded:
            raise DataError(
                f"data set '{dataset.name}' at {dataset.root} is not what the run in {self.folder.path} was started "
                f"with (checksum {found[:12]}, then {str(recorded)[:12]})",
                "name the folder of the old data with --data-root",
            )

    def restored(self, catalog: Catalog, device: torch.device, checkpoint: str = "last") -> Restored:
        """Build the run's method and load a checkpoint.

        :param checkpoint: "last", "best", or a number of steps.
        :raises UserError: where the checkpoint is missing, broken or another run's.
        """
        problem, path = self.problem, self._checkpoint_path(checkpoint)
        payload = load_checkpoint(path, torch.device("cpu"))
        if payload.get("experiment") != self.digest:
            raise CheckpointError(f"checkpoint {path} belongs to another experiment than {self.folder.experiment}")
        method, ctx = build_method(self.experiment, problem, Runtime(device), catalog)
        self._check_can_sample(method, payload)
        apply_state(declared_state(method, ctx), payload["state"], str(path))
        name = f"step-{payload['total']}" if checkpoint not in ("last", "best") else checkpoint
        return Restored(method, name, _facts(payload))

    def newest_facts(self) -> Mapping[str, Any]:
        """What the run's last checkpoint says beside the state."""
        return _facts(load_checkpoint(self._checkpoint_path("last"), torch.device("cpu")))

    def _check_can_sample(self, method: Method, payload: Mapping[str, Any]) -> None:
        stages, number = list(method.stages()), payload["stage"]
        if number < len(stages) and not stages[number].samples:
            path = self.folder.path
            raise RunFolderError(
                f"the run in {path} is still in stage '{stages[number].name}', in which it cannot sample",
                f"go on with: harness run --out {path} --resume",
            )

    def _checkpoint_path(self, checkpoint: str) -> Path:
        run, kept = f"the run in {self.folder.path}", self.seen
        if checkpoint == "last":
            if not kept:
                raise RunFolderError(f"{run} has no checkpoint yet")
            return kept[-1]
        if checkpoint == "best":
            path = self.folder.checkpoints / "best.pt"
            if not path.is_file():
                raise RunFolderError(f"{run} kept no best checkpoint", "train with --set evaluation.best=METRIC")
            return path
        steps = {int(path.stem.rpartition("-")[2]): path for path in kept}
        if not checkpoint.isdecimal() or int(checkpoint) not in steps:
            there = ", ".join(map(str, steps)) or "none"
            raise RunFolderError(
                f"{run} has no checkpoint '{checkpoint}'", f"give last, best or a step (kept: {there})"
            )
        return steps[int(checkpoint)]


def run_facts(problem: Problem, dataset: LoadedDataset) -> dict[str, Any]:
    """What experiment.json says beside the experiment: the data that the run was given, and where it was."""
    return {
        "problem": dataclasses.asdict(problem),
        "data_root": str(dataset.root.absolute()),
        "train_checksum": dataset.training().checksum,
    }


def _facts(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != "state"}
