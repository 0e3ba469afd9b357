"""A run's folder: what lies where in it, whose it is, and whether it may be used."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.atomic import replacing
from harness.errors import CheckpointError, RunFolderError


class RunFolder:
    """The files of one run.

    :param path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.experiment = path / "experiment.json"
        self.results = path / "results.json"
        self.log = path / "log.jsonl"
        self.evaluations = path / "evaluations.jsonl"
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self.products = path / "products"
        self.figures = path / "figures"
        self._lock = path / "lock"

    @property
    def is_run(self) -> bool:
        """Whether a run was ever started here."""
        return self.experiment.is_file()

    def create(self, record: Mapping[str, Any]) -> None:
        """Make the folder for a new run, in place of the run that may be there (other files stay).

        :raises RunFolderError: where the path is a file, or a folder with something else in it.
        """
        self.check_free()
        if self.is_run:
            self.clear()
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self.samples.mkdir(exist_ok=True)
            self.write_experiment(record)
        except (NotADirectoryError, FileExistsError, PermissionError) as error:
            raise RunFolderError(f"cannot make the run folder {self.path}: {error.strerror}") from error

    def write_experiment(self, record: Mapping[str, Any]) -> None:
        """Write experiment.json, whole or not at all."""
        write_atomically(self.experiment, json.dumps(dict(record), indent=2, allow_nan=False) + "\n")

    def check_free(self) -> None:
        """Whether a new run can start here: nothing there, or an empty folder.

        :raises RunFolderError: otherwise, saying what is there.
        """
        existing = next((p for p in (self.path, *self.path.parents) if p.exists()), None)
        if existing is not None and not existing.is_dir():
            raise RunFolderError(f"output path {existing} is a file", "give --out a folder")
        if self.is_run or not self.path.exists():
            return
        if any(entry.name != "lock" for entry in self.path.iterdir()):
            raise RunFolderError(f"{self.path} holds something that is not a run", "give --out another folder")

    def clear(self) -> None:
        """Remove the run that is here (its own files only); the lock stays."""
        for path in (self.checkpoints, self.samples, self.products, self.figures):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.results, self.log, self.evaluations, self.experiment):
            path.unlink(missing_ok=True)

    def read_experiment(self) -> dict[str, Any]:
        """The content of experiment.json.

        :raises RunFolderError: where this is not a run's folder.
        """
        if not self.path.exists():
            raise RunFolderError(f"no run at {self.path}", "see the folder given to --out, or below runs/")
        if not self.is_run:
            raise RunFolderError(f"{self.path} is not a run folder: it has no experiment.json")
        try:
            record = json.loads(self.experiment.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise CheckpointError(f"{self.experiment} cannot be read: {error}") from error
        if not isinstance(record, dict):
            raise CheckpointError(f"{self.experiment} does not describe an experiment of this harness")
        return record

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; the lock dies with its process, however that ends.

        :raises RunFolderError: where another process holds it.
        """
        self.check_free()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = self._lock.open("a+")
        except OSError as error:
            raise RunFolderError(f"cannot write in the run folder {self.path}: {error.strerror}") from error
        with handle:
            self._take(handle)
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    def check_idle(self) -> None:
        """Whether nobody holds the folder; nothing in it is touched.

        :raises RunFolderError: where another process does.
        """
        if self._lock.is_file():
            with self._lock.open("r") as handle:
                self._take(handle)

    def _take(self, handle: IO[str]) -> None:
        """Take the lock, which is given back when the file is closed."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise RunFolderError(
                f"run folder {self.path} is in use by process {holder}", "wait for it, or give --out another folder"
            ) from error

    def cut_logs(self, step: int) -> None:
        """Drop the lines that were logged after `step`, and an unfinished last line."""
        for path in (self.log, self.evaluations):
            if path.is_file():
                kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
                write_atomically(path, "".join(line + "\n" for line in kept))


def write_atomically(path: Path, text: str) -> None:
    """The file has either its old content or all of the new."""
    with replacing(path, "w") as handle:
        handle.write(text)


def append_line(path: Path, values: dict[str, Any]) -> None:
    """Add one JSON line."""
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(values, allow_nan=False) + "\n")


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # an unfinished line
