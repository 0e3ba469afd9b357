"""The biggan backbone: published parameter counts, spectral norm, initial weights, and what is refused."""

from __future__ import annotations

import pytest
import torch
from small_biggan import CONDITION, backbone, count, pair
from torch import nn

from harness.builtin.models.residual.biggan import build
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.errors import SettingsError
from harness.layers.spectral import SpectralNorm

# -- parameter counts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolution", "width", "classes", "of_generator", "of_discriminator", "published_millions"),
    [
        (32, 64, 10, 4_304_387, 4_207_628, 8.512),
        (32, 128, 10, 16_079_875, 16_803_852, 32.884),
        (32, 128, 100, 16_632_835, 16_850_022, 33.483),
        (32, 256, 10, 62_044_163, 67_162_124, 129.21),
        (64, 96, 1000, 70_193_027, 45_502_986, 115.696),
        (128, 96, 1000, 70_387_907, 87_973_386, 158.361),
    ],
)
def test_parameter_counts_are_the_published_ones(
    resolution, width, classes, of_generator, of_discriminator, published_millions
):
    """Discriminators with a logit a class and two more, and no projection."""
    with torch.device("meta"):
        built = build(BigGANSettings(width=width), (3, resolution, resolution))
        generator, discriminator = built.generator(conditions=classes), built.discriminator(outputs=classes + 2)
    assert (count(generator), count(discriminator)) == (of_generator, of_discriminator)
    rounding = 0.005 if width == 256 else 0.0005
    assert count(generator, discriminator) / 1e6 == pytest.approx(published_millions, abs=rounding)


# -- what is refused -------------------------------------------------------------------------------------------------


def test_conditions_with_many_outputs_are_refused():
    with pytest.raises(SettingsError, match="has one output, not 12"):
        backbone().discriminator(conditions=10, outputs=12)
    with pytest.raises(SettingsError, match="conditions=-1"):
        backbone().generator(conditions=-1)


# -- spectral norm --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [8, 64])
def test_spectral_norm_is_on_everything_but_the_generators_class_embeddings(resolution):
    for network in pair(resolution):
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                normalised = isinstance(getattr(module, "normalise", None), SpectralNorm)
                assert normalised == (name.startswith("heads") or not isinstance(module, nn.Embedding)), name


def test_spectral_norm_can_be_left_out():
    for network in pair(8, spectral_norm=False):
        assert not any(isinstance(module, SpectralNorm) for module in network.modules())


def test_training_passes_normalise_every_weight_in_the_network():
    generator, discriminator = pair(8)
    latent = torch.randn(3, 128)
    with torch.no_grad():
        for _ in range(300):
            discriminator(generator(latent, CONDITION), CONDITION)
    for network in (generator, discriminator):
        checked = 0
        for module in network.modules():
            norm = getattr(module, "normalise", None)
            if isinstance(norm, SpectralNorm):
                largest = torch.linalg.svdvals(module.weight.flatten(1))[0]
                torch.testing.assert_close(norm.eval().sigma(module.weight), largest, rtol=2e-3, atol=0)
                checked += 1
        assert checked >= 5


# -- initial weights -------------------------------------------------------------------------------------------------


def test_initial_weights_have_the_law_that_was_asked_for():
    normal, _ = pair(8, width=32)
    weights = torch.cat([m.weight.flatten() for m in normal.modules() if isinstance(m, nn.Conv2d | nn.Linear)])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().item() == pytest.approx(0.0, abs=2e-4)
    orthogonal, _ = pair(8, init="orthogonal")
    matrix = orthogonal.blocks[0].conv1.weight.flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-5, rtol=0)
