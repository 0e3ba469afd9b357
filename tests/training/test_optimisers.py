"""What methods share: Adam as settings name it, and a penalty taken now and then."""

from __future__ import annotations

import numpy as np
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


def test_decoupled_weight_decay_shrinks_weights_by_themselves():
    # the first step of Adam is lr against the sign of the gradient, whatever its size: decay in it would be lost
    weights = {decoupled: nn.Parameter(torch.tensor([2.0, -3.0])) for decoupled in (False, True)}
    for decoupled, weight in weights.items():
        settings = AdamSettings(lr=0.1, weight_decay=0.5, decoupled=decoupled)
        weight.grad = torch.tensor([4.0, 5.0])
        adam([weight], settings).step()
    torch.testing.assert_close(weights[False].data, torch.tensor([1.9, -3.1]))
    torch.testing.assert_close(weights[True].data, torch.tensor([2.0, -3.0]) * (1 - 0.1 * 0.5) - 0.1)


def test_lazy_regularisation_corrects_adam_as_the_public_code_does(parity):
    numbers = np.load(parity / "schedules.npz")
    given, expected = numbers["lazy_adam_cfg_interval_lr_beta1_beta2"], numbers["lazy_adam_lr_beta1_beta2"]
    for (every, lr, *betas), (wanted_lr, *wanted_betas) in zip(given.tolist(), expected.tolist(), strict=True):
        settings = AdamSettings(lr=lr, betas=tuple(betas))
        (group,) = adam(nn.Linear(1, 1).parameters(), settings, lazy=int(every)).param_groups
        assert group["lr"] == pytest.approx(wanted_lr)
        assert group["betas"] == pytest.approx(tuple(wanted_betas))


def test_a_penalty_with_steps_of_its_own_is_never_beside_the_loss(ctx):
    penalty = LazyPenalty(PenaltySettings(name="r1", every=2, own_step=True), ctx)
    x = torch.ones(1, 2)
    assert [bool(penalty.terms(lambda v: v.sum(1), x, x, step)) for step in range(3)] == [False] * 3
    assert [penalty.due(step, own_step=True) for step in range(3)] == [True, False, True]
    assert penalty.lazy == 2
    assert LazyPenalty(PenaltySettings(name="r1", every=2), ctx).lazy is None


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
