"""``harness train`` does all that ``harness run`` does but the numbers at the end."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from typed_runs import SHORT, measured

from harness.cli.run import run
from harness.cli.train import train


def test_training_and_evaluating_apart_measures_the_same(harness: Any, tmp_path: Path) -> None:
    assert harness("run", *SHORT, "--out", "a").code == 0
    assert harness("train", *SHORT, "--out", "b").code == 0
    assert measured(tmp_path / "b") == []
    assert harness("evaluate", "b").code == 0
    assert measured(tmp_path / "a") == measured(tmp_path / "b")


def test_nothing_is_measured_and_nothing_is_said_of_numbers(harness: Any, tmp_path: Path) -> None:
    code, out, err = harness("train", *SHORT, "--out", "a")
    assert code == 0, err
    record = json.loads((tmp_path / "a/results.json").read_text())
    assert (record["exit_state"], record["metrics"]) == ("finished", [])
    lines = out.splitlines()
    assert lines[0].startswith("6 steps, 600 real images, ")
    assert [line.split()[0] for line in lines[1:]] == ["record", "samples"]


def test_every_option_of_a_run_is_taken_and_means_the_same() -> None:
    takes = {command: inspect.signature(command, eval_str=True).parameters for command in (run, train)}
    assert takes[train] == takes[run]


def test_mistakes_are_refused_before_any_training(refused: Any, tmp_path: Path) -> None:
    assert "no data set is given" in refused("train", "--plugin", "gan")
    assert "no setting 'd_step'; did you mean 'd_steps'" in refused("train", *SHORT, "--set", "d_step=2", "--out", "a")
    assert list(tmp_path.iterdir()) == []
