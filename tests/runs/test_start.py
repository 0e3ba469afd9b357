"""Starting and resuming: all is settled before the folder is touched, and what is resumed is what was started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.errors import EvaluationError, RunFolderError, SettingsError
from harness.experiment import Experiment, resolve
from harness.runs import RunOptions, train_run
from harness.training.checkpoints import checkpoints_in
from harness.training.reporting import Reporter

SETTINGS = {"steps": 4, "batch_size": 20, "checkpoint_every": 2, "log_every": 2, "sample_every": 0}

Start = Callable[..., dict[str, Any]]


def asked_for(catalog: Catalog, **changed: Any) -> Experiment:
    return resolve(catalog, plugin="gan", dataset="ring2d", scale="tiny", overrides=SETTINGS | changed)


@pytest.fixture
def start(catalog: Catalog, tmp_path: Path) -> Start:
    """Train on the ring without evaluating, in tmp_path/run; `experiment=None` asks for what is there."""

    def train(experiment: Experiment | None, **options: Any) -> dict[str, Any]:
        chosen = RunOptions(**{"out": tmp_path / "run", "device": "cpu", "evaluate": False} | options)
        return train_run(catalog, experiment, chosen, Reporter(quiet=True))[1]

    return train


def stop_half_way(run: Path) -> None:
    """As if the run had been killed before its last checkpoint."""
    (run / "results.json").unlink()
    checkpoints_in(run / "checkpoints")[-1].unlink()


def test_going_on_and_starting_anew_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="contradict each other; give one of them"):
        RunOptions(resume=True, overwrite=True)


def test_a_run_that_could_not_be_measured_at_its_end_is_not_begun(
    catalog: Catalog, start: Start, tmp_path: Path
) -> None:
    wrong = asked_for(catalog, evaluation={"metrics": ["fd"]})
    with pytest.raises(EvaluationError, match="metric 'fd' cannot be measured here"):
        start(wrong, evaluate=True)
    assert not (tmp_path / "run").exists()
    assert start(wrong)["exit_state"] == "finished"  # nobody asked to measure it


def test_the_rule_for_the_best_checkpoint_is_something_that_is_measured_and_has_a_direction(
    catalog: Catalog, start: Start
) -> None:
    for best, message in (("fd", "that is not measured here"), ("modes", None)):
        experiment = asked_for(catalog, evaluation={"best": best, "every": 2, "samples": 100})
        if message is None:
            assert start(experiment, overwrite=True)["exit_state"] == "finished"
        else:
            with pytest.raises(SettingsError, match=message):
                start(experiment, overwrite=True)


def test_what_is_resumed_is_recorded_as_it_was_started(catalog: Catalog, start: Start, tmp_path: Path) -> None:
    start(asked_for(catalog))
    before = json.loads((tmp_path / "run/experiment.json").read_text())
    stop_half_way(tmp_path / "run")
    assert start(None, resume=True)["cost"]["steps"] == 4
    assert json.loads((tmp_path / "run/experiment.json").read_text()) == before


def test_how_a_run_is_watched_may_change_when_it_is_resumed_and_nothing_else(
    catalog: Catalog, start: Start, tmp_path: Path
) -> None:
    start(asked_for(catalog))
    stop_half_way(tmp_path / "run")
    with pytest.raises(SettingsError, match=r"batch_size=20, not 40; resume it with --out alone"):
        start(asked_for(catalog, batch_size=40), resume=True)
    assert start(asked_for(catalog, log_every=1), resume=True)["settings"]["log_every"] == 1
    assert json.loads((tmp_path / "run/experiment.json").read_text())["settings"]["log_every"] == 1


def test_a_run_that_is_there_is_neither_begun_again_nor_resumed_once_finished(catalog: Catalog, start: Start) -> None:
    with pytest.raises(RunFolderError, match="nothing to resume: no run at"):
        start(None, resume=True)
    start(asked_for(catalog))
    for options, experiment in (({}, asked_for(catalog)), ({"resume": True}, None)):
        with pytest.raises(RunFolderError, match="is finished; score it again with: harness evaluate"):
            start(experiment, **options)


def test_an_unfinished_run_is_gone_on_with_or_started_anew_but_never_by_itself(
    catalog: Catalog, start: Start, tmp_path: Path
) -> None:
    start(asked_for(catalog))
    stop_half_way(tmp_path / "run")
    with pytest.raises(RunFolderError, match="holds an unfinished run; go on with --resume, or start anew"):
        start(asked_for(catalog))
    assert start(asked_for(catalog), overwrite=True)["exit_state"] == "finished"


def test_a_run_nobody_names_cannot_be_resumed(start: Start) -> None:
    with pytest.raises(SettingsError, match="needs to know which run"):
        start(None, resume=True, out=None)
    with pytest.raises(SettingsError, match="nothing to run"):
        start(None)
