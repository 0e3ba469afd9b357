"""Adversarial losses by hand and by other formulas."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from harness.builtin.losses import adversarial as loss

REAL = torch.tensor([-1.0, 0.5, 3.0], dtype=torch.float64)
FAKE = torch.tensor([-2.0, 0.0], dtype=torch.float64)
LOSSES = ("hinge", "nsgan", "wgan", "lsgan")


def discriminator(name: str):
    return getattr(loss, f"{name}_discriminator")


def generator(name: str):
    return getattr(loss, f"{name}_generator")


@pytest.mark.parametrize(
    ("name", "of_discriminator", "of_generator"),
    [
        # real: relu(2), relu(.5), relu(-2); fake: relu(-1), relu(1)
        ("hinge", (2.0 + 0.5 + 0.0) / 3 + (0.0 + 1.0) / 2, 1.0),
        (
            "nsgan",
            sum(math.log1p(math.exp(-x)) for x in (-1.0, 0.5, 3.0)) / 3
            + sum(math.log1p(math.exp(x)) for x in (-2.0, 0.0)) / 2,
            sum(math.log1p(math.exp(-x)) for x in (-2.0, 0.0)) / 2,
        ),
        ("wgan", -1.0 - 2.5 / 3, 1.0),
        ("lsgan", (4.0 + 0.25 + 4.0) / 6 + (4.0 + 0.0) / 4, (9.0 + 1.0) / 4),
    ],
)
def test_values_by_hand(name, of_discriminator, of_generator):
    assert discriminator(name)(REAL, FAKE).item() == pytest.approx(of_discriminator, rel=1e-12)
    assert generator(name)(FAKE).item() == pytest.approx(of_generator, rel=1e-12)


def test_nsgan_is_binary_cross_entropy_with_targets_one_and_zero():
    entropy = F.binary_cross_entropy_with_logits
    expected = entropy(REAL, torch.ones_like(REAL)) + entropy(FAKE, torch.zeros_like(FAKE))
    torch.testing.assert_close(loss.nsgan_discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(loss.nsgan_generator(FAKE), entropy(FAKE, torch.ones_like(FAKE)))


def test_an_undecided_discriminator_has_its_textbook_loss():
    zero = torch.zeros(7)
    assert loss.hinge_discriminator(zero, zero).item() == 2.0
    assert loss.nsgan_discriminator(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert loss.wgan_discriminator(zero, zero).item() == 0.0
    assert loss.lsgan_discriminator(zero, zero).item() == 0.5


def test_hinge_has_no_gradient_beyond_the_margin():
    real, fake = torch.tensor([1.5, 0.5], requires_grad=True), torch.tensor([-1.5, -0.5], requires_grad=True)
    of_real, of_fake = torch.autograd.grad(loss.hinge_discriminator(real, fake), (real, fake))
    assert of_real.tolist() == [0.0, -0.5]
    assert of_fake.tolist() == [0.0, 0.5]


def test_nsgan_survives_huge_logits():
    huge = torch.tensor([1e4, -1e4], requires_grad=True)
    value = loss.nsgan_discriminator(huge, huge) + loss.nsgan_generator(huge)
    (gradient,) = torch.autograd.grad(value, huge)
    assert value.item() == pytest.approx(1.5e4)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", LOSSES)
def test_results_are_scalars_that_repeat_when_the_batch_is_doubled(name):
    once = discriminator(name)(REAL, FAKE), generator(name)(FAKE)
    twice = discriminator(name)(REAL.repeat(2), FAKE.repeat(2)), generator(name)(FAKE.repeat(2))
    for a, b in zip(once, twice, strict=True):
        assert a.shape == ()
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", LOSSES)
def test_the_two_networks_pull_in_opposite_directions(name):
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    # 0.5 is undecided for lsgan, whose targets are 0 and 1
    shift = 0.5 if name == "lsgan" else 0.0
    of_real, of_fake = torch.autograd.grad(discriminator(name)(real + shift, fake + shift), (real, fake))
    (of_generator,) = torch.autograd.grad(generator(name)(fake + shift), fake)
    assert (of_real < 0).all()
    assert (of_fake > 0).all()
    assert (of_generator < 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_match_finite_differences(name):
    generator_ = torch.Generator().manual_seed(0)
    real = torch.randn(5, dtype=torch.float64, generator=generator_, requires_grad=True)
    fake = torch.randn(4, dtype=torch.float64, generator=generator_, requires_grad=True)
    assert torch.autograd.gradcheck(discriminator(name), (real, fake))
    assert torch.autograd.gradcheck(generator(name), (fake,))
