from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import torch

from harness.results.environment import describe_environment, package_versions, source_commit
from harness.version import __version__


def git(folder: Path, *arguments: str) -> str:
    # a hook that runs the tests may point git at another repository
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def test_the_environment_names_what_can_move_a_number() -> None:
    found = describe_environment("cpu", "bf16-mixed")
    assert found["harness"] == __version__
    assert found["python"] == platform.python_version()
    assert found["threads"] == torch.get_num_threads()
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert (found["device"], found["precision"], found["cuda"]) == ("cpu", "bf16-mixed", None)
    assert found["device_name"]
    written = datetime.fromisoformat(found["date"])
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    json.dumps(found, allow_nan=False)


def test_a_package_that_is_not_installed_is_left_out() -> None:
    assert package_versions(("torch", "no-such-package-anywhere")).keys() == {"torch"}


def test_the_commit_of_a_tree_says_whether_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("one", encoding="utf-8")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert source_commit(tmp_path) == commit
    (tmp_path / "a.txt").write_text("two", encoding="utf-8")
    assert source_commit(tmp_path) == f"{commit}+changed"


def test_a_folder_inside_a_foreign_repository_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    inside = tmp_path / "site-packages"
    inside.mkdir()
    assert source_commit(inside) is None


def test_a_repository_without_commits_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert source_commit(tmp_path) is None
