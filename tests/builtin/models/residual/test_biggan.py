"""The biggan backbone: published parameter counts, shapes, places, conditions, precision and reproducibility."""

from __future__ import annotations

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from small_biggan import CONDITION, RESOLUTIONS, Echo, backbone, pair
from torch import nn

from harness.builtin.models.residual.biggan import build
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.contracts.networks import Adapted
from harness.errors import SettingsError
from harness.layers.adapters import adapter_parameters, backbone_parameters
from harness.layers.spectral import SpectralNorm

MAPS = {8: [4, 4, 4], 16: [8, 8, 8], 32: [16, 8, 8, 8], 64: [32, 16, 8, 4, 4], 128: [64, 32, 16, 8, 4, 4]}


def count(*networks) -> int:
    return sum(parameter.numel() for network in networks for parameter in network.parameters())


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


def test_projection_adds_one_vector_a_class():
    with torch.device("meta"):
        built = backbone(32)
        plain, told = built.discriminator(), built.discriminator(conditions=7)
    assert count(told) - count(plain) == 7 * told.feature_dim


# -- shapes and places ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize(("conditions", "channels"), [(0, 1), (3, 3)])
def test_shapes_places_and_adapters_at_every_resolution(resolution, conditions, channels):
    torch.manual_seed(0)
    built = backbone(resolution, channels, width=2)
    generator = built.generator(conditions=conditions, adapters=Echo)
    discriminator = built.discriminator(conditions=conditions, adapters=Echo)
    condition = CONDITION if conditions else None
    images = generator(torch.randn(3, built.latent_dim), condition)
    critique = discriminator(images, condition)

    assert images.shape == (3, channels, resolution, resolution)
    assert images.abs().max() <= 1
    assert critique.score.shape == (3,)
    assert critique.feature.shape == (3, discriminator.feature_dim)
    assert (critique.class_term is None) == (conditions == 0)

    assert [place.resolution for place in discriminator.places] == MAPS[resolution]
    assert [place.resolution for place in generator.places] == [4 * 2**i for i in range(1, len(generator.blocks) + 1)]
    for network in (generator, discriminator):
        echoes = list(network.adapters.children())
        assert [echo.place for echo in echoes] == list(network.places)
        for echo, place in zip(echoes, network.places, strict=True):
            assert echo.seen.shape == (3, place.width, place.resolution, place.resolution)
    names = [place.name for place in discriminator.places]
    assert list(critique.maps) == names
    assert critique.notes == {name: name for name in names}


def test_width_scales_every_place():
    narrow, wide = backbone(width=3).discriminator(), backbone(width=6).discriminator()
    assert [place.width for place in narrow.places] == [12, 12, 12]
    assert [place.width for place in wide.places] == [24, 24, 24]


def test_packed_images_are_stacked_along_the_channels():
    discriminator = backbone(8, 3).discriminator(pack=2)
    assert discriminator(torch.randn(4, 6, 8, 8)).score.shape == (4,)


# -- what the critique holds ----------------------------------------------------------------------------------------


def test_the_feature_is_the_sum_over_pixels_of_the_last_maps_positive_part():
    critique = backbone().discriminator()(torch.randn(2, 1, 8, 8))
    torch.testing.assert_close(critique.feature, F.relu(critique.maps["block3"]).sum((2, 3)))


def test_what_an_adapter_returns_goes_on():
    class Zero(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(torch.zeros_like(features))

    built = backbone()
    critique = built.discriminator(adapters=lambda place: Zero() if place.index == 3 else None)(torch.randn(2, 1, 8, 8))
    assert critique.feature.abs().max() == 0
    assert critique.notes == {}
    latents = torch.randn(2, built.latent_dim)
    generator = built.generator(adapters=lambda place: Zero())
    images = generator(latents)
    assert torch.equal(images[0], images[1])


def test_noise_reaches_the_generators_adapters():
    asked = []

    class Noisy(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features + noise("block1", tuple(features.shape)))

    def noise(name, shape):
        asked.append((name, shape))
        return torch.zeros(shape)

    built = backbone()
    built.generator(adapters=lambda place: Noisy())(torch.randn(2, built.latent_dim), noise=noise)
    assert asked == [("block1", (2, 16, 8, 8))]


def test_outputs_and_extra_heads_are_as_asked_for():
    critique = backbone().discriminator(outputs=5, heads={"code": 7})(torch.randn(2, 1, 8, 8))
    assert critique.score.shape == (2, 5)
    assert critique.heads["code"].shape == (2, 7)
    assert backbone().discriminator(outputs=0)(torch.randn(2, 1, 8, 8)).logit is None


# -- conditions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [8, 64])
def test_the_condition_changes_the_image(resolution):
    generator, _ = pair(resolution)
    with torch.no_grad():  # the initial gains are small
        for name, parameter in generator.named_parameters():
            if "gain" in name or "bias.weight" in name:
                parameter.mul_(20)
    latent = torch.randn(1, generator.latent_dim).expand(3, -1)
    images = generator.eval()(latent, CONDITION)
    assert not torch.allclose(images[0], images[1], atol=1e-4)


def test_a_missing_or_unexpected_condition_is_a_mistake():
    generator, _ = pair(8)
    with pytest.raises(ValueError, match="one of 3 conditions"):
        generator(torch.randn(3, 128))
    with pytest.raises(ValueError, match="no condition"):
        backbone().generator()(torch.randn(3, 128), CONDITION)


@pytest.mark.parametrize("conditions", [0, 3])
def test_pieces_of_a_hierarchical_latent_reach_their_own_blocks(conditions):
    generator, _ = pair(64, conditions=conditions, adapters=Echo)
    generator.eval()
    condition = CONDITION if conditions else None
    latent = torch.randn(3, 120)

    def maps(change: slice) -> list[torch.Tensor]:
        changed = latent.clone()
        changed[:, change] += 1
        generator(changed, condition)
        return [echo.seen.detach().clone() for echo in generator.adapters.children()]

    plain = maps(slice(0, 0))
    for piece in range(5):
        same = [torch.equal(a, b) for a, b in zip(plain, maps(slice(24 * piece, 24 * piece + 24)), strict=True)]
        # piece 0 enters at the bottom, piece i at block i
        assert same == [block < piece for block in range(1, 5)]


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


# -- states, modes, reproducibility ---------------------------------------------------------------------------------


def test_eval_mode_changes_nothing():
    for network, inputs in zip(pair(8), (torch.randn(3, 128), torch.randn(3, 1, 8, 8)), strict=True):
        network.eval()
        before = copy.deepcopy(network.state_dict())
        first, second = network(inputs, CONDITION), network(inputs, CONDITION)
        for name, value in network.state_dict().items():
            assert torch.equal(value, before[name]), name
        same = torch.equal(first, second) if torch.is_tensor(first) else torch.equal(first.logit, second.logit)
        assert same


def test_a_saved_state_loads_safely_and_goes_on_bit_for_bit():
    generator, discriminator = pair(8)
    file = io.BytesIO()
    torch.save([generator.state_dict(), discriminator.state_dict()], file)
    file.seek(0)
    other = pair(8, seed=1)
    for network, state in zip(other, torch.load(file, weights_only=True), strict=True):
        network.load_state_dict(state)
    latent = torch.randn(3, 128)
    results = [d(g(latent, CONDITION), CONDITION).score for g, d in ((generator, discriminator), other)]
    assert torch.equal(*results)


def test_a_deep_copy_gives_the_same_and_lives_on_its_own():
    generator, discriminator = pair(8)
    copies = copy.deepcopy(generator), copy.deepcopy(discriminator)
    latent = torch.randn(3, 128)
    first = discriminator(generator(latent, CONDITION), CONDITION).score
    state = copy.deepcopy(discriminator.state_dict())
    assert torch.equal(copies[1](copies[0](latent, CONDITION), CONDITION).score, first)
    copies[1](torch.randn(3, 1, 8, 8), CONDITION)
    assert all(torch.equal(value, state[name]) for name, value in discriminator.state_dict().items())


@pytest.mark.parametrize("resolution", [8, 64])
def test_the_seed_fixes_initial_values_and_results(resolution):
    latent = torch.randn(3, 128 if resolution == 8 else 120)
    results = []
    for seed in (0, 0, 1):
        generator, discriminator = pair(resolution, seed=seed)
        results.append(discriminator(generator(latent, CONDITION), CONDITION).score)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_initial_weights_have_the_law_that_was_asked_for():
    normal, _ = pair(8, width=32)
    weights = torch.cat([m.weight.flatten() for m in normal.modules() if isinstance(m, nn.Conv2d | nn.Linear)])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().item() == pytest.approx(0.0, abs=2e-4)
    orthogonal, _ = pair(8, init="orthogonal")
    matrix = orthogonal.blocks[0].conv1.weight.flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-5, rtol=0)


def test_networks_with_a_factory_that_gives_nothing_are_bit_identical_to_those_without():
    latent = torch.randn(3, 128)
    results = []
    for factory in (None, lambda place: None):
        generator, discriminator = pair(8, adapters=factory)
        results.append((generator, discriminator, discriminator(generator(latent, CONDITION), CONDITION).score))
    for plain, empty in zip(results[0][:2], results[1][:2], strict=True):
        assert list(plain.state_dict()) == list(empty.state_dict())
        assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), empty.parameters(), strict=True))
    assert torch.equal(results[0][2], results[1][2])


def test_adapters_change_no_other_initial_value():
    for plain, adapted in zip(pair(8), pair(8, adapters=Echo), strict=True):
        state = adapted.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in plain.state_dict().items())
        assert count(adapted) > count(plain)
        assert sum(p.numel() for p in backbone_parameters(adapted)) == count(plain)
        assert sum(p.numel() for p in adapter_parameters(adapted)) == count(adapted) - count(plain)
