"""What methods share: Adam as settings name it, and a penalty taken now and then."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.contracts.settings import AdamSettings, PenaltySettings
from harness.errors import UnknownName
from harness.training.optimisers import LazyPenalty, adam
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime


@pytest.fixture
def ctx(catalog):
    return RunContext(catalog, Runtime(torch.device("cpu")), seed=0)


def test_adam_is_as_the_settings_say():
    settings = AdamSettings(lr=0.5, betas=(0.1, 0.2), eps=1e-3, weight_decay=0.4)
    (group,) = adam(nn.Linear(1, 1).parameters(), settings).param_groups
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (0.5, (0.1, 0.2), 1e-3, 0.4)
    assert not group["decoupled_weight_decay"]


def test_a_penalty_is_due_every_so_many_steps_and_weighs_for_all_of_them(ctx):
    penalty = LazyPenalty(PenaltySettings(name="r1", weight=0.5, every=3), ctx)
    x = torch.ones(4, 2)
    # the gradient of 3 x1 + 4 x2 has the squared norm 25
    terms = [penalty.terms(lambda v: v @ torch.tensor([3.0, 4.0]), x, x, step) for step in range(4)]
    assert [bool(term) for term in terms] == [True, False, False, True]
    assert terms[0]["penalty"].item() == pytest.approx(0.5 * 3 * 25)


def test_without_a_name_there_is_no_penalty(ctx):
    penalty = LazyPenalty(PenaltySettings(), ctx)
    assert not penalty.chosen
    assert penalty.terms(lambda v: v.sum(1), torch.ones(1, 2), torch.ones(1, 2), 0) == {}


def test_an_unknown_penalty_is_refused_with_near_names(ctx):
    with pytest.raises(UnknownName, match="did you mean 'r1'"):
        LazyPenalty(PenaltySettings(name="r11"), ctx)


def test_draws_have_the_asked_for_shape_and_no_condition_is_none(ctx):
    assert ctx.latents(5, 3).shape == (5, 3)
    drawn = ctx.conditions(1000, 4)
    assert set(drawn.tolist()) == {0, 1, 2, 3}
    assert ctx.conditions(5, 0) is None
