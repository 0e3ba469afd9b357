"""Gradient penalties against critics whose gradient is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.builtin.losses import penalties
from harness.errors import SettingsError
from harness.training.batch_draws import BatchDraws

DRAWS = BatchDraws(torch.device("cpu"))


def r1(critic, real, fake):
    return penalties.r1(critic, real, fake, DRAWS)


def r2(critic, real, fake):
    return penalties.r2(critic, real, fake, DRAWS)


def gp(critic, real, fake):
    return penalties.gp(critic, real, fake, DRAWS)


SHAPES = [(6, 2), (6, 3, 4, 4)]


def batch(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def linear(weight):
    """D(x) = w . x: gradient w everywhere."""
    return lambda x: (x * weight).flatten(1).sum(1)


def quadratic(x):
    """D(x) = |x|^2 / 2: gradient x."""
    return 0.5 * x.flatten(1).square().sum(1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("penalty", [r1, r2])
def test_a_linear_critic_is_penalised_by_its_squared_norm(penalty, shape):
    weight = batch(shape[1:], 1)
    value = penalty(linear(weight), batch(shape, 2), batch(shape, 3))
    assert value.shape == ()
    torch.testing.assert_close(value, weight.square().sum())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_quadratic_critic_is_penalised_by_the_mean_squared_norm_of_the_data(shape):
    real, fake = batch(shape, 2), batch(shape, 3)
    torch.testing.assert_close(r1(quadratic, real, fake), real.flatten(1).square().sum(1).mean())
    torch.testing.assert_close(r2(quadratic, real, fake), fake.flatten(1).square().sum(1).mean())
    both = penalties.r1r2(quadratic, real, fake, DRAWS)
    torch.testing.assert_close(both, (real.flatten(1).square() + fake.flatten(1).square()).sum(1).mean())


@pytest.mark.parametrize("shape", SHAPES)
def test_gp_of_a_linear_critic_is_the_squared_distance_of_its_norm_from_one(shape):
    weight = batch(shape[1:], 1)
    value = gp(linear(weight), batch(shape, 2), batch(shape, 3))
    torch.testing.assert_close(value, (weight.square().sum().sqrt() - 1).square())


def test_gp_looks_between_each_real_and_its_fake():
    real, fake = batch((50, 2), 2), batch((50, 2), 3)
    seen = []

    def critic(x):
        seen.append(x.detach())
        return quadratic(x)

    gp(critic, real, fake)
    share = (seen[0] - fake) / (real - fake)
    torch.testing.assert_close(share[:, 0], share[:, 1])  # one share a pair
    assert ((share >= 0) & (share < 1)).all()
    assert share[:, 0].std() > 0.1  # not the same for all pairs


def test_gp_refuses_data_that_cannot_be_paired():
    with pytest.raises(SettingsError, match="cannot be paired"):
        gp(quadratic, batch((6, 2), 1), batch((1, 2), 2))


def test_gp_of_a_flat_critic_is_one_and_has_no_nan_in_its_gradient():
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    value = gp(lambda x: scale * quadratic(x), batch((4, 2), 1), batch((4, 2), 2))
    assert value.item() == 1.0
    assert torch.isfinite(torch.autograd.grad(value, scale)[0])


@pytest.mark.parametrize("penalty", [r1, r2, gp])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_by_the_critics_weights_match_finite_differences(penalty, shape):
    """Double backward: a smooth critic whose gradient depends on its weights and on x."""
    real, fake = batch(shape, 2), batch(shape, 3)

    def penalised(weight, bias):
        torch.manual_seed(0)  # gp draws the same shares each time
        return penalty(lambda x: torch.tanh(0.3 * (x * weight).flatten(1).sum(1) + bias), real, fake)

    weight = batch(shape[1:], 1).requires_grad_()
    bias = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalised, (weight, bias))


@pytest.mark.parametrize("penalty", [r1, r2, gp])
def test_no_gradient_reaches_what_made_the_data(penalty):
    maker = torch.ones(2, dtype=torch.float64, requires_grad=True)
    critic = nn.Linear(2, 1).double()
    value = penalty(lambda x: critic(x)[:, 0], batch((4, 2), 1) * maker, batch((4, 2), 2) * maker)
    assert torch.autograd.grad(value, maker, allow_unused=True, retain_graph=True) == (None,)
    assert torch.autograd.grad(value, critic.weight)[0].abs().sum() > 0


@pytest.mark.parametrize("penalty", [r1, r2, gp])
def test_penalties_work_where_gradients_are_switched_off(penalty):
    with torch.no_grad():
        value = penalty(quadratic, batch((4, 2), 1), batch((4, 2), 2))
    assert value > 0


@pytest.mark.parametrize("penalty", [r1, r2, gp])
def test_data_and_critic_are_left_as_they_were(penalty):
    real, fake = batch((4, 2), 1), batch((4, 2), 2)
    critic = nn.Linear(2, 1).double()
    penalty(lambda x: critic(x)[:, 0], real, fake)
    assert not real.requires_grad
    assert not fake.requires_grad
    assert critic.weight.grad is None
