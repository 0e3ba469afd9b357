"""Both residual networks of one design: shapes, places, states, copies and seeds; adapters change nothing else."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from small_biggan import CONDITION, RESOLUTIONS, Echo, backbone, count, pair
from small_residual import small_design
from torch import nn

from harness.builtin.models.residual.backbone import residual
from harness.contracts.networks import Adapted
from harness.errors import SettingsError
from harness.layers.adapters import adapter_parameters, backbone_parameters

MAPS = {8: [4, 4, 4], 16: [8, 8, 8], 32: [16, 8, 8, 8], 64: [32, 16, 8, 4, 4], 128: [64, 32, 16, 8, 4, 4]}


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


def test_a_design_that_no_backbone_is_registered_for_gives_two_networks_that_fit():
    built = residual(small_design(latent_pieces=3, embedding_dim=4, attention=10, spectral_norm=1e-6))
    assert built.latent_dim == 9
    generator, discriminator = built.generator(conditions=3), built.discriminator(conditions=3)
    assert (generator.latent_dim, generator.conditions) == (9, 3)
    images = generator(torch.randn(3, 9), CONDITION)
    assert images.shape == (3, 2, 20, 20)
    discriminator(images, CONDITION).score.sum().backward()
    assert all(p.grad is not None for network in (generator, discriminator) for p in network.parameters())


def test_what_is_asked_for_reaches_the_networks():
    built = residual(small_design())
    discriminator = built.discriminator(outputs=4, heads={"code": 7}, pack=2, adapters=Echo)
    critique = discriminator(torch.randn(3, 4, 20, 20))
    assert (critique.score.shape, critique.heads["code"].shape) == ((3, 4), (3, 7))
    assert critique.notes == {name: name for name in ("block1", "block2", "block3")}
    assert len(list(built.generator(adapters=Echo).adapters.children())) == 2


def test_what_no_network_can_be_is_refused():
    built = residual(small_design())
    with pytest.raises(SettingsError, match="conditions=-1"):
        built.generator(conditions=-1)
    with pytest.raises(SettingsError, match="has one output, not 2"):
        built.discriminator(conditions=3, outputs=2)
