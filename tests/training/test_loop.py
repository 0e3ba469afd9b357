"""The training loop: order, resumption to the bit, the guard against NaN, and what watching must not change."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal

import pytest
import torch
from resuming import StopAt, final_state, same

from harness.errors import CheckpointError, Diverged, UserError
from harness.randomness import seed_everything
from harness.training.checkpoints import checkpoints_in, load_checkpoint
from harness.training.clock import Clock
from harness.training.interrupts import Interrupted
from harness.training.reporting import Reporter
from harness.training.watching import Unwatched

CPU = torch.device("cpu")


@pytest.fixture
def uninterrupted(make_training):
    training = make_training("whole")
    training.run(resume=False)
    return training


def log_lines(training) -> list[dict]:
    lines = [json.loads(line) for line in training.folder.log.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


# every kind of moment: before the first interval, inside a stage, at both sides of the stage boundary, at the end
@pytest.mark.parametrize(("stage", "step"), [("cluster", 4), ("cluster", 6), ("gan", 4), ("gan", 8), ("gan", 20)])
def test_a_resumed_run_equals_the_uninterrupted_one_to_the_bit(make_training, uninterrupted, stage, step):
    broken = make_training("broken", watch=StopAt(stage, step))
    with pytest.raises(KeyboardInterrupt):
        broken.run(resume=False)
    seed_everything("something else entirely")
    resumed = make_training("broken")
    with torch.no_grad():  # other initial weights: resuming must not lean on the seed
        for parameter in resumed.method.generator.parameters():
            parameter.add_(1.0)
    resumed.run(resume=True)
    assert same(final_state(resumed), final_state(uninterrupted))
    assert resumed.images_seen == uninterrupted.images_seen == (6 + 20) * 32
    assert log_lines(resumed) == log_lines(uninterrupted)


def test_resuming_twice_changes_nothing(make_training, uninterrupted):
    for where in [("cluster", 4), ("gan", 8), ("gan", 16)]:
        training = make_training("twice", watch=StopAt(*where))
        with pytest.raises(KeyboardInterrupt):
            training.run(resume=bool(checkpoints_in(training.folder.checkpoints)))
    training = make_training("twice")
    training.run(resume=True)
    assert same(final_state(training), final_state(uninterrupted))


def test_step_0_is_saved_before_anything_is_trained(make_training):
    training = make_training()
    initial = {name: value.clone() for name, value in training.method.generator.state_dict().items()}
    training._save()
    payload = load_checkpoint(checkpoints_in(training.folder.checkpoints)[0], CPU)
    assert (payload["total"], payload["stage"], payload["step"]) == (0, 0, 0)
    assert same(payload["state"]["generator"], initial)


@pytest.mark.parametrize(("seconds", "offered"), [(7200.0, True), (600.0, False)])
def test_a_run_of_hours_says_so_and_offers_the_tiny_scale(make_training, monkeypatch, seconds, offered):
    stream = io.StringIO()
    monkeypatch.setattr(Clock, "estimate", lambda clock, done: seconds if done == 2 else None)
    make_training(reporter=Reporter(stream)).run(resume=False)
    said = stream.getvalue()
    assert f"this will take about {'2h00m' if offered else '10m00s'} on cpu" in said
    command = "harness run --plugin toy --dataset ring2d --recipe toy/plain --scale tiny"
    assert (command in said) == offered


class Looker(Unwatched):
    """Notes when it is asked for pictures and numbers."""

    def __init__(self) -> None:
        self.grids: list[int] = []
        self.evaluations: list[int] = []

    def sample_grid(self, method, step) -> None:
        self.grids.append(step)

    def evaluate(self, method, step, best):
        self.evaluations.append(step)
        return False, best


def test_grids_and_evaluations_wait_for_a_stage_that_can_sample(make_training):
    looker = Looker()
    training = make_training(watch=looker, sample_every=4, evaluation={"every": 10})
    training.run(resume=False)
    assert looker.grids == [6 + step for step in (4, 8, 12, 16, 20)]
    assert looker.evaluations == [6 + step for step in (10, 20)]


class Meddler(Unwatched):
    """Watches as rudely as it can."""

    def step_finished(self, stage, step, values) -> None:
        torch.manual_seed(0)
        torch.rand(17)


def test_what_watchers_draw_does_not_reach_the_training(make_training, uninterrupted):
    meddled = make_training("meddled", watch=Meddler(), log_every=1)
    meddled.run(resume=False)
    assert same(final_state(meddled), final_state(uninterrupted))


def test_checkpointing_more_often_trains_the_same_weights(make_training, uninterrupted):
    often = make_training("often", checkpoint_every=1, log_every=3)
    often.run(resume=False)
    assert same(final_state(often), final_state(uninterrupted))


def test_another_seed_trains_other_weights(make_training, uninterrupted, toy_catalog):
    training = make_training("other", lr=0.0101)
    training.run(resume=False)
    assert not same(final_state(training), final_state(uninterrupted))


def test_only_the_newest_two_checkpoints_are_kept(uninterrupted):
    names = [path.name for path in checkpoints_in(uninterrupted.folder.checkpoints)]
    assert names == ["step-00000021.pt", "step-00000026.pt"]


def test_nan_stops_the_run_naming_step_term_and_last_checkpoint(make_training):
    training = make_training(explode_at=9)
    with pytest.raises(Diverged) as stop:
        training.run(resume=False)
    text = str(stop.value)
    assert "'discriminator/adversarial'" in text
    assert "step 10 of stage 'gan'" in text
    assert str(training.folder.checkpoints / "step-00000011.pt") in text
    payload = load_checkpoint(checkpoints_in(training.folder.checkpoints)[-1], CPU)
    assert all(torch.isfinite(value).all() for value in payload["state"]["discriminator"].values())


def test_state_that_is_not_finite_is_never_saved(make_training):
    training = make_training()
    with torch.no_grad():
        training.method.generator[0].weight[0, 0] = float("inf")
    with pytest.raises(Diverged, match=r"generator.0.weight"):
        training.run(resume=False)
    assert not checkpoints_in(training.folder.checkpoints)


class PressCtrlC(Unwatched):
    def step_finished(self, stage, step, values) -> None:
        if (stage, step) == ("gan", 8):
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_says_how_to_go_on(make_training, uninterrupted):
    training = make_training("stopped", watch=PressCtrlC())
    with pytest.raises(Interrupted) as stop:
        training.run(resume=False)
    assert stop.value.exit_code == 130
    assert f"harness run --out {training.folder.path} --resume" in str(stop.value)
    assert load_checkpoint(checkpoints_in(training.folder.checkpoints)[-1], CPU)["step"] == 8
    resumed = make_training("stopped")
    resumed.run(resume=True)
    assert same(final_state(resumed), final_state(uninterrupted))


def test_a_product_of_another_run_replaces_its_stage(make_training, uninterrupted):
    reusing = make_training("reusing", cluster_from=str(uninterrupted.folder.path))
    reusing.run(resume=False)
    assert torch.equal(reusing.method.labels, uninterrupted.method.labels)
    assert reusing.images_seen == 20 * 32
    assert len(reusing.reused["cluster"]["sha256"]) == 64
    assert same(final_state(reusing)["generator"], final_state(uninterrupted)["generator"])


def test_a_product_of_other_data_is_refused(make_training, uninterrupted):
    other = make_training(cluster_from=str(uninterrupted.folder.path))
    other._data_checksum = "0" * 64
    with pytest.raises(UserError, match="made from other training data"):
        other.run(resume=False)


class PressCtrlCAtTheEnd(Unwatched):
    def step_finished(self, stage, step, values) -> None:
        if (stage, step) == ("gan", 20):
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_at_the_last_step_stops_before_the_evaluation(make_training, uninterrupted):
    training = make_training("late", watch=PressCtrlCAtTheEnd())
    with pytest.raises(Interrupted):
        training.run(resume=False)
    resumed = make_training("late")
    resumed.run(resume=True)
    assert same(final_state(resumed), final_state(uninterrupted))


def test_the_best_checkpoint_is_kept_even_if_a_kill_came_before_it(make_training):
    class Better(Unwatched):
        def evaluate(self, method, step, best):
            return True, {"metric": "m", "value": 1.0, "protocol_id": "m[]", "step": step}

    first = make_training("best", watch=Better(), evaluation={"every": 20})
    first.run(resume=False)
    best = first.folder.checkpoints / "best.pt"
    assert load_checkpoint(best, CPU)["total"] == 26
    best.unlink()
    make_training("best", watch=Better(), evaluation={"every": 20}).run(resume=True)
    assert best.is_file()


def test_a_checkpoint_of_another_experiment_is_refused(make_training, uninterrupted):
    other = make_training("other", lr=0.5)
    shutil.copytree(uninterrupted.folder.checkpoints, other.folder.checkpoints, dirs_exist_ok=True)
    with pytest.raises(CheckpointError, match="another experiment"):
        other.run(resume=True)


def test_resuming_nothing_is_refused(make_training):
    with pytest.raises(CheckpointError, match="nothing to resume"):
        make_training().run(resume=True)


def test_another_number_of_processes_is_refused(make_training, uninterrupted):
    training = make_training("whole")
    training.runtime.world = 2
    with pytest.raises(CheckpointError, match="--devices 1"):
        training.run(resume=True)
