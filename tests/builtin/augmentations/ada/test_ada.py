"""ada as a step uses it: augmented images, observed scores, a state that is kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.ada import Ada
from harness.builtin.augmentations.ada.ada_settings import AdaSettings
from harness.errors import SettingsError
from harness.training.batch_draws import BatchDraws

CPU = torch.device("cpu")


class Alone(BatchDraws):
    """One device."""

    def mean(self, value: Tensor) -> Tensor:
        return value


class OfTwo(BatchDraws):
    """One of two devices, the other of which sees `others`."""

    def __init__(self, others: float) -> None:
        super().__init__(CPU, rank=0, world=2)
        self.others = others

    def mean(self, value: Tensor) -> Tensor:
        return (value + self.others) / 2


def ada(**settings) -> Ada:
    return Ada(AdaSettings(**settings), Alone(CPU))


def images(n: int = 4, channels: int = 3, size: int = 16) -> Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_augmented_as_often_as_p_says(channels):
    plain = images(200, channels)
    torch.manual_seed(0)
    brighter = ada(groups=(), brightness=1, p=0.3)(plain) - plain
    changed = brighter.abs().amax((1, 2, 3)) > 1e-4
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.1)


def test_every_call_draws_anew_and_the_global_seed_fixes_it():
    augment = ada(p=0.8)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(augment(images()))
    assert torch.equal(found[0], found[1])
    assert not torch.allclose(found[0], found[2], atol=0.1)


def test_at_p_nought_images_come_back_and_are_not_changed_in_place():
    plain = images()
    assert torch.allclose(ada()(plain), plain, atol=2e-5)
    ada(p=1)(plain)
    assert torch.equal(plain, images())


def test_p_reaches_the_gates_as_it_moves():
    augment = ada(groups=(), brightness=1, interval=1, kimg=1)
    plain = images(50)
    assert torch.equal(augment(plain), plain)
    for _ in range(20):
        augment.observe(torch.ones(50))
    assert float(augment.p) == pytest.approx(1.0)
    assert (augment(plain) - plain).abs().amax((1, 2, 3)).min() > 0


def test_p_moves_each_interval_by_the_images_of_all_devices():
    here, there = Ada(AdaSettings(interval=2, kimg=1), OfTwo(10.0)), Ada(AdaSettings(interval=2, kimg=1), OfTwo(-10.0))
    for augment, expected in ((here, 0.04), (there, 0.0)):  # all positive; half of them, below the target
        augment.observe(torch.ones(10))
        assert float(augment.p) == 0.0
        augment.observe(torch.ones(10))
        assert float(augment.p) == pytest.approx(expected)


def test_scores_of_any_shape_count_their_signs_and_nought_counts_nothing():
    augment = ada(interval=1, kimg=1, p=0.5, target=0.25)
    augment.observe(torch.tensor([[3.0], [0.1], [-9.0], [0.0]], requires_grad=True))  # (1 + 1 - 1 + 0) / 4, a tie
    assert float(augment.p) == 0.5
    augment.observe(torch.tensor([3.0, 0.1, 0.0, 0.0]))
    assert float(augment.p) == pytest.approx(0.504)


def test_further_scores_of_a_step_count_without_a_step_of_their_own():
    augment = ada(interval=1, kimg=1, target=0.0, p=0.5)
    augment.observe(-torch.ones(30), step=False)
    assert float(augment.p) == 0.5
    augment.observe(torch.ones(20))
    assert float(augment.p) == pytest.approx(0.48)  # more minuses than pluses, and twenty images


def test_without_a_target_p_stays():
    augment = ada(target=None, p=0.4, interval=1)
    augment.observe(torch.ones(1000))
    assert float(augment.p) == pytest.approx(0.4)


def test_the_p_that_is_logged_does_not_move_later():
    augment = ada(interval=1, kimg=1)
    before = augment.p
    augment.observe(torch.ones(100))
    assert float(before) == 0.0


def test_ada_goes_on_from_its_state_between_two_moves_of_p():
    first, second = (ada(p=0.3, kimg=1), ada(kimg=1))
    for _ in range(6):
        first.observe(torch.ones(10))
    state = {name: value.clone() if isinstance(value, Tensor) else value for name, value in first.state_dict().items()}
    assert {type(value) for value in state.values()} == {Tensor, int}
    second.load_state_dict(state)
    for augment in (first, second):
        for scores in (-torch.ones(10), torch.ones(10)):
            augment.observe(scores)
    assert float(first.p) == float(second.p) == pytest.approx(0.3 + 0.04 - 0.04)
    torch.manual_seed(3)
    expected = first(images())
    torch.manual_seed(3)
    assert torch.equal(second(images()), expected)


def test_a_penalty_on_the_gradient_of_scores_reaches_the_discriminators_weight():
    weight = torch.randn(3 * 16 * 16, generator=torch.Generator().manual_seed(1)).requires_grad_()
    plain = images().requires_grad_()
    scores = ada(p=0.9)(plain).flatten(1) @ weight
    (gradient,) = torch.autograd.grad(scores.sum(), plain, create_graph=True)
    penalty = gradient.square().sum()
    (second,) = torch.autograd.grad(penalty, weight)
    # the penalty is quadratic in the weight
    assert float((second * weight.detach()).sum()) == pytest.approx(2 * float(penalty.detach()), rel=1e-4)


def test_what_cannot_be_augmented_is_refused_before_anything_is_drawn():
    state = torch.random.get_rng_state()
    with pytest.raises(SettingsError, match="1 or 3 channels, not 2"):
        ada()(images(channels=2))
    with pytest.raises(SettingsError, match="22 pixels"):
        ada(groups="filter")(images())
    assert torch.equal(torch.random.get_rng_state(), state)
