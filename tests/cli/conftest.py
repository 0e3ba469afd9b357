"""Runs the command line in this process, and a run that is finished."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from typed_runs import SHORT

from harness.cli import main


class Outcome(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def harness(capsys, monkeypatch, tmp_path):
    """``harness("ls", "methods")``, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return command


@pytest.fixture
def refused(harness):
    """A command that must fail with one line on standard error and exit code 2; returns the line."""

    def command(*words: object) -> str:
        code, out, err = harness(*words)
        lines = [line for line in err.splitlines() if line.startswith("error: ")]
        assert code == 2, (code, out, err)
        assert len(lines) == 1
        assert err.splitlines()[-1] == lines[0]
        assert "Traceback" not in err
        return lines[0]

    return command


@pytest.fixture(scope="session")
def _finished_once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "a"
    assert main(["run", *SHORT, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def finished(_finished_once, harness, tmp_path) -> Path:
    """The folder a/ of a run of six steps on points, with its numbers; a copy that a test may spoil."""
    return Path(shutil.copytree(_finished_once, tmp_path / "a"))
