"""A run's folder: who may use it, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from harness.errors import RunFolderError
from harness.training.run_folder import RunFolder, append_line, write_atomically

HOLD = """
import sys, time
from pathlib import Path
from harness.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_new_run_gets_an_empty_or_absent_folder(tmp_path, below):
    folder = RunFolder(tmp_path / below)
    folder.create({"seed": 0})
    assert folder.read_experiment() == {"seed": 0}


def test_a_new_run_replaces_the_old_one_and_spares_the_rest(tmp_path):
    folder = RunFolder(tmp_path)
    folder.create({"seed": 0})
    (folder.checkpoints / "step-00000001.pt").write_text("x")
    (tmp_path / "notes.txt").write_text("mine")
    folder.create({"seed": 1})
    assert folder.read_experiment() == {"seed": 1}
    assert not list(folder.checkpoints.iterdir())
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match="holds something that is not a run"):
        RunFolder(tmp_path).create({})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("below", ["", "inner"])
def test_an_output_path_that_is_a_file_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunFolderError, match="is a file"):
        RunFolder(tmp_path / "file" / below if below else tmp_path / "file").create({})
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_in_use_is_refused_and_a_killed_process_lets_go(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunFolderError, match=f"in use by process {holder.pid}"), RunFolder(tmp_path).locked():
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with RunFolder(tmp_path).locked():
        pass


def test_logs_are_cut_after_the_checkpoint_and_at_a_torn_line(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (1, 2, 3):
        append_line(folder.log, {"step": step})
    with folder.log.open("a") as handle:
        handle.write('{"step": 1, "lo')
    folder.cut_logs(2)
    assert [json.loads(line)["step"] for line in folder.log.read_text().splitlines()] == [1, 2]


def test_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(RunFolderError, match="no run at"):
        RunFolder(tmp_path / "absent").read_experiment()
    with pytest.raises(RunFolderError, match="is not a run folder"):
        RunFolder(tmp_path).read_experiment()


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
