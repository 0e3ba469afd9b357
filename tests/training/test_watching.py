"""Nobody watches: no picture, no number, and the best so far stays the best."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from harness.training.watching import Unwatched, Watch

ASKED = [name for name, value in vars(Watch).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.mark.parametrize("name", ASKED)
def test_everything_that_the_loop_asks_is_answered(name: str) -> None:
    assert inspect.signature(getattr(Unwatched, name)) == inspect.signature(getattr(Watch, name))


@pytest.mark.parametrize("best", [None, {"metric": "fd", "value": 3.0, "protocol_id": "fd[]", "step": 2}])
def test_nothing_is_better_than_what_was_best(make_training: Any, best: dict[str, Any] | None) -> None:
    assert Unwatched().evaluate(make_training().method, 4, best) == (False, best)


def test_an_unwatched_run_leaves_its_log_and_checkpoints_alone(make_training: Any) -> None:
    training = make_training(watch=Unwatched(), sample_every=2, evaluation={"every": 2, "best": "reverse_kl"})
    training.run(resume=False)
    folder = training.folder
    assert (list(folder.samples.iterdir()), folder.evaluations.exists()) == ([], False)
    assert not (folder.checkpoints / "best.pt").exists()
    assert [json.loads(line)["step"] for line in folder.log.read_text().splitlines()] == [4, 6, 10, 14, 18, 22, 26]
