"""Attention in the biggan backbone: published parameter counts, where it stands, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from small_biggan import CONDITION, Echo, pair
from torch import nn

from harness.builtin.models.residual.biggan import build
from harness.builtin.models.residual.biggan_settings import BigGANSettings, design
from harness.layers.spectral import SpectralNorm


def count(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_large_networks_have_the_parameters_that_the_public_code_prints():
    """BigGAN-PyTorch for ImageNet at 128 pixels: ch 96, z 120, a shared embedding of 128 and attention at 64."""
    settings, shape = BigGANSettings(attention=64), (3, 128, 128)
    with torch.device("meta"):
        built = build(settings, shape)
        generator, discriminator = built.generator(conditions=1000), built.discriminator(conditions=1000)
    assert (count(generator), count(discriminator)) == (70_433_988, 87_982_370)
    plan = design(settings, shape)
    assert (plan.latent_dim, plan.latent_pieces, plan.embedding_dim) == (120, 6, 128)
    # a block's batch norms are told the shared embedding and a piece of the latent
    assert generator.blocks[0].norm1.gain.weight.shape[1] == 128 + 20


@pytest.mark.parametrize(
    ("resolution", "attention", "in_generator", "in_discriminator"),
    [
        (128, 64, ["block4"], ["block1"]),
        (64, 64, ["block4"], []),  # the discriminator's first map has 32 pixels a side
        (32, 8, ["block1"], ["block2", "block3", "block4"]),
        (32, 0, [], []),
    ],
)
def test_attention_follows_the_blocks_whose_maps_have_that_side(resolution, attention, in_generator, in_discriminator):
    generator, discriminator = pair(resolution, attention=attention)
    assert list(generator.attention) == in_generator
    assert list(discriminator.attention) == in_discriminator


def test_it_starts_as_the_identity_and_counts_before_the_place():
    torch.manual_seed(0)
    generator, discriminator = pair(16, attention=8, adapters=Echo)
    latent, images = torch.randn(3, 128), torch.randn(3, 1, 16, 16)

    def results():
        generator(latent, CONDITION)
        discriminator(images, CONDITION)
        return [next(network.adapters.children()).seen.clone() for network in (generator.eval(), discriminator.eval())]

    results()
    first, same = results(), results()
    with torch.no_grad():
        for network in (generator, discriminator):
            network.attention["block1"].gamma.fill_(5.0)
    changed = results()
    for before, again, after in zip(first, same, changed, strict=True):
        assert torch.equal(before, again)
        assert not torch.allclose(before, after)


def test_it_is_normalised_and_initialised_as_the_other_layers_are():
    for network in pair(16, attention=8, init="orthogonal"):
        for layer in network.attention.values():
            assert sum(isinstance(module, SpectralNorm) for module in layer.modules()) == 4
            matrix = layer.query.weight.flatten(1)
            torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-5, rtol=0)
    for network in pair(16, attention=8, spectral_norm=False):
        assert not any(isinstance(module, SpectralNorm) for module in network.modules())


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_gradients_reach_it_in_both_precisions(precision):
    generator, discriminator = pair(16, attention=8)
    for network in (generator, discriminator):
        for layer in network.attention.values():
            nn.init.constant_(layer.gamma, 0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
        score = discriminator(generator(torch.randn(3, 128), CONDITION), CONDITION).score
    assert score.dtype == torch.float32
    score.sum().backward()
    for network in (generator, discriminator):
        for parameter in network.attention.parameters():
            assert torch.isfinite(parameter.grad).all()
            assert parameter.grad.abs().sum() > 0
