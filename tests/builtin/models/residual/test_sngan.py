"""The sngan backbone: parameter counts written out by hand, shapes, conditions and what is refused."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from small_biggan import CONDITION, Echo
from torch import nn

from harness.builtin.models.residual import biggan
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.builtin.models.residual.sngan import build
from harness.builtin.models.residual.sngan_settings import TOPOLOGIES, SnganSettings
from harness.layers.spectral import SpectralNorm

K = 200


def pair(side: int = 8, conditions: int = 3, adapters=None, channels: int = 1, **settings):
    torch.manual_seed(0)
    built = build(SnganSettings(**{"width": 2, **settings}), (channels, side, side))
    generator = built.generator(conditions=conditions, adapters=adapters)
    return generator, built.discriminator(conditions=conditions, adapters=adapters)


# -- parameter counts: kernels and biases, layer by layer ------------------------------------------------------------


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    return inputs * outputs * kernel**2 + outputs


def generator_count(side: int, widths: list[int]) -> int:
    """Dense layer, blocks, output layer, and the tables of the conditional batch norms."""
    shared = (128 + 1) * widths[0] * side**2 + 2 * widths[-1] + conv(widths[-1], 3)
    tables = 0
    for a, b in pairwise(widths):
        shared += conv(a, b) + conv(b, b) + conv(a, b, 1)
        tables += K * 2 * (a + b)
    return shared + tables


def discriminator_count(widths: list[int], with_shortcut: int) -> int:
    """Blocks, the linear head, and the projection with its biases; `with_shortcut` blocks have a 1 x 1 convolution."""
    total = 0
    for index, (a, b) in enumerate(pairwise([3, *widths])):
        total += conv(a, b) + conv(b, b) + (conv(a, b, 1) if index < with_shortcut else 0)
    return total + (widths[-1] + 1) + K * (widths[-1] + 1)


@pytest.mark.parametrize(
    ("side", "widths", "of_generator", "of_discriminator", "published_millions"),
    [
        (32, "code", generator_count(4, [256] * 4), discriminator_count([256] * 4, 2), (4.89, 4.26)),
        (32, "paper", generator_count(4, [256] * 4), discriminator_count([128] * 4, 2), (4.89, 1.08)),
        (
            48,
            "code",
            generator_count(3, [1024, 1024, 512, 256, 128]),
            discriminator_count([64, 128, 256, 512, 1024], 5),
            (32.99, 19.75),
        ),
        (
            48,
            "paper",
            generator_count(3, [1024, 512, 256, 128, 64]),
            discriminator_count([64, 128, 256, 512, 1024], 5),
            (12.44, 19.75),
        ),
    ],
)
def test_parameter_counts_with_200_conditions(side, widths, of_generator, of_discriminator, published_millions):
    with torch.device("meta"):
        built = build(SnganSettings(widths=widths), (3, side, side))
        networks = built.generator(conditions=K), built.discriminator(conditions=K)
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in networks]
    assert counts == [of_generator, of_discriminator]
    assert [round(n / 1e6, 2) for n in counts] == list(published_millions)


def test_the_tables_of_the_batch_norms_are_614400_numbers_at_32_pixels():
    with torch.device("meta"):
        generator = build(SnganSettings(), (3, 32, 32)).generator(conditions=K)
    tables = [m for m in generator.modules() if isinstance(m, nn.Embedding)]
    assert len(tables) == 3 * 2 * 2  # gains and biases of two batch norms in each of three blocks
    assert sum(table.weight.numel() for table in tables) == 614_400
    assert generator.norm.affine  # the last batch norm is told nothing


# -- what they compute -----------------------------------------------------------------------------------------------


def test_without_the_bias_they_are_the_other_residual_networks_at_32_pixels_bit_for_bit():
    """The released code is a copy of BigGAN's for CIFAR."""
    latent, results = torch.randn(3, 128), []
    ours = build(SnganSettings(width=4, projection_bias=False), (3, 32, 32))
    for built in (ours, biggan.build(BigGANSettings(width=4), (3, 32, 32))):
        torch.manual_seed(0)
        generator, discriminator = built.generator(conditions=3), built.discriminator(conditions=3)
        results.append(discriminator(generator(latent, CONDITION), CONDITION).score)
    assert torch.equal(*results)


@pytest.mark.parametrize("projection_bias", [True, False])
def test_the_logit_is_the_linear_head_and_a_row_of_a_second_one_with_its_own_bias(projection_bias):
    _, discriminator = pair(projection_bias=projection_bias)
    images = torch.randn(3, 1, 8, 8)
    discriminator.eval()
    critique = discriminator(images, CONDITION)
    feature = F.relu(critique.maps["block3"]).sum((2, 3))  # the sum, not the mean, over pixels
    torch.testing.assert_close(critique.feature, feature)
    heads = discriminator.heads
    second = heads.rows.linear if projection_bias else heads.projection
    weight = second.weight / second.normalise.sigma(second.weight)
    term = (feature @ weight.T)[range(3), CONDITION]
    term = term + second.bias[CONDITION] if projection_bias else term
    shared = heads.linear.weight / heads.linear.normalise.sigma(heads.linear.weight)
    torch.testing.assert_close(critique.logit, (feature @ shared.T).squeeze(1) + heads.linear.bias + term)


def test_the_condition_changes_the_image_and_the_logit():
    generator, discriminator = pair()
    with torch.no_grad():  # the initial gains are small
        for module in generator.modules():
            if isinstance(module, nn.Embedding):
                module.weight.mul_(20)
    generator.eval(), discriminator.eval()
    images = generator(torch.randn(1, 128).expand(3, -1), CONDITION)
    assert not torch.allclose(images[0], images[1], atol=1e-4)
    scores = discriminator(images[:1].expand(3, -1, -1, -1), CONDITION).score
    assert scores.unique().numel() == 3


@pytest.mark.parametrize("widths", ["code", "paper"])
@pytest.mark.parametrize("side", TOPOLOGIES["code"])
@pytest.mark.parametrize(("conditions", "channels"), [(0, 1), (3, 3)])
def test_shapes_places_and_adapters_at_every_size(side, widths, conditions, channels):
    generator, discriminator = pair(side, conditions, Echo, channels, widths=widths)
    condition = CONDITION if conditions else None
    images = generator(torch.randn(3, 128), condition)
    critique = discriminator(images, condition)
    assert images.shape == (3, channels, side, side)
    assert images.abs().max() <= 1
    assert critique.score.shape == (3,)
    assert critique.feature.shape == (3, discriminator.feature_dim)
    bottom = 3 if side in (24, 48) else 4
    assert [p.resolution for p in generator.places] == [bottom * 2**i for i in range(1, len(generator.places) + 1)]
    assert generator.places[-1].resolution == side
    for network in (generator, discriminator):
        for echo, place in zip(network.adapters.children(), network.places, strict=True):
            assert echo.seen.shape == (3, place.width, place.resolution, place.resolution)
    last = {8: 4, 16: 8, 24: 3, 32: 8, 48: 3}[side]
    assert discriminator.places[-1].resolution == last
    critique.score.sum().backward()
    assert all(p.grad is not None for network in (generator, discriminator) for p in network.parameters())


def test_packs_outputs_and_extra_heads_are_as_asked_for():
    built = build(SnganSettings(width=2), (3, 8, 8))
    assert built.discriminator(pack=2)(torch.randn(4, 6, 8, 8)).score.shape == (4,)
    critique = built.discriminator(outputs=5, heads={"code": 7})(torch.randn(2, 3, 8, 8))
    assert (critique.score.shape, critique.heads["code"].shape) == ((2, 5), (2, 7))
    assert built.discriminator(outputs=0)(torch.randn(2, 3, 8, 8)).logit is None


# -- spectral norm and initial values --------------------------------------------------------------------------------


def test_spectral_norm_is_on_everything_but_the_tables_of_the_batch_norms_and_can_be_left_out():
    for network in pair():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                normalised = isinstance(getattr(module, "normalise", None), SpectralNorm)
                assert normalised != isinstance(module, nn.Embedding)
    for network in pair(spectral_norm=False):
        assert not any(isinstance(module, SpectralNorm) for module in network.modules())


def test_weights_start_with_a_standard_deviation_of_2_percent_and_biases_as_torch_makes_them():
    generator, discriminator = pair(16, conditions=500, width=16)
    kinds = (nn.Conv2d, nn.Linear, nn.Embedding)
    for kind in kinds:
        found = [m for n in (generator, discriminator) for m in n.modules() if isinstance(m, kind)]
        weights = torch.cat([m.weight.flatten() for m in found])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    bias, bound = discriminator.heads.rows.linear.bias, 1 / math.sqrt(discriminator.feature_dim)
    assert 0.9 * bound < bias.abs().max() <= bound


def test_a_saved_state_goes_on_bit_for_bit():
    networks, others = pair(24), pair(24)
    latent = torch.randn(3, 128)
    for network, other in zip(networks, others, strict=True):
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.mul_(0.5)
        network.train()
        other.load_state_dict(network.state_dict())
    scores = [d(g(latent, CONDITION), CONDITION).score for g, d in (networks, others)]
    assert torch.equal(*scores)
