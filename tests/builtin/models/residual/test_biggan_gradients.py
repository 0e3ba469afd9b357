"""Gradients, precision and memory layout of the biggan backbone."""

from __future__ import annotations

import copy

import pytest
import torch
from small_biggan import CONDITION, Echo, backbone, pair

from harness.builtin.losses.penalties import r1
from harness.training.batch_draws import BatchDraws

DRAWS = BatchDraws(torch.device("cpu"))  # of which r1 makes none


@pytest.mark.parametrize("resolution", [8, 64])
def test_gradients_reach_every_parameter(resolution):
    generator, discriminator = pair(resolution)
    discriminator(generator(torch.randn(3, generator.latent_dim), CONDITION), CONDITION).score.sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            # every bias but the last before a batch norm matters; those before one cannot
            assert parameter.grad.abs().sum() > 0 or name.endswith("bias"), name


def test_r1_through_the_discriminator_matches_finite_differences():
    torch.manual_seed(0)
    # without spectral norm, whose singular vectors are constants to autograd but not to finite differences
    discriminator = backbone(width=1, spectral_norm=False, init="orthogonal").discriminator().double()
    real = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    parameter = discriminator.blocks[1].conv1.weight

    def penalty() -> torch.Tensor:
        return r1(lambda x: discriminator(x).score, real, real, DRAWS)

    (gradient,) = torch.autograd.grad(penalty(), parameter)
    direction = torch.randn_like(parameter)
    values = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
        values.append(penalty().item())
    assert (values[0] - values[1]) / 2e-6 == pytest.approx((gradient * direction).sum().item(), rel=1e-5)


def test_r1_works_with_spectral_norm_in_training_mode():
    _, discriminator = pair(8)
    real = torch.randn(3, 1, 8, 8)
    value = (
        r1(lambda x: discriminator(x, CONDITION).score, real, real, DRAWS) + discriminator(real, CONDITION).score.mean()
    )
    gradients = torch.autograd.grad(value, list(discriminator.parameters()))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("resolution", [8, 64])
@pytest.mark.parametrize("conditions", [0, 3])
def test_networks_train_under_bf16_and_stay_near_float32(resolution, conditions):
    generator, discriminator = pair(resolution, conditions=conditions)
    latent, condition = torch.randn(3, generator.latent_dim), CONDITION if conditions else None
    plain = copy.deepcopy(generator)(latent, condition)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        images = generator(latent, condition)
        critique = discriminator(images, condition)
    assert images.dtype == critique.score.dtype == critique.feature.dtype == torch.float32
    assert critique.maps["block1"].dtype == torch.bfloat16  # the blocks did run in half precision
    torch.testing.assert_close(images, plain, atol=0.1, rtol=0)
    critique.score.mean().backward()
    for network in (generator, discriminator):
        assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


def test_networks_in_double_agree_with_float32():
    generator, discriminator = pair(16)
    doubles = copy.deepcopy(generator).double(), copy.deepcopy(discriminator).double()
    latent = torch.randn(3, 128)
    single = discriminator(generator(latent, CONDITION), CONDITION)
    double = doubles[1](doubles[0](latent.double(), CONDITION), CONDITION)
    assert double.score.dtype == torch.float64
    torch.testing.assert_close(single.score.double(), double.score, rtol=1e-3, atol=1e-4)


def test_maps_keep_channels_last_in_memory_on_a_cpu():
    """Convolutions are up to twice as fast so; the rows of a map, pixel by pixel, are then had without a copy."""
    critique = backbone(16, 3).discriminator()(torch.randn(2, 3, 16, 16))
    assert all(m.is_contiguous(memory_format=torch.channels_last) for m in critique.maps.values())
    generator, _ = pair(16, adapters=Echo)
    generator(torch.randn(3, 128), CONDITION)
    assert all(echo.seen.is_contiguous(memory_format=torch.channels_last) for echo in generator.adapters.children())


def test_the_images_are_laid_out_as_usual():
    generator, _ = pair(8, channels=3)
    assert generator(torch.randn(3, 128), CONDITION).is_contiguous()
