"""The modules that a method puts at a network's places, and that nothing else is changed by them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.contracts.networks import Adapted, Place
from harness.layers.adapters import Adapters, adapter_parameters, backbone_parameters

PLACES = tuple(Place("discriminator", "block", index, 3, 0) for index in (1, 2, 3))


class Scale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))

    def forward(self, features, noise=None):
        return Adapted(features * self.weight, note="scaled")


class Network(nn.Module):
    def __init__(self, factory=None) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.adapters = Adapters(PLACES, factory)


def test_features_pass_untouched_where_no_module_stands():
    features = torch.randn(2, 3)
    for adapters in (Adapters(PLACES, None), Adapters(PLACES, lambda place: None)):
        adapted = adapters.at("block1", features)
        assert adapted.map is features
        assert adapted.note is None


def test_the_factory_sees_every_place_and_chooses_where_to_stand():
    seen = []

    def factory(place):
        seen.append(place)
        return Scale(place.width) if place.index == 2 else None

    adapters = Adapters(PLACES, factory)
    features = torch.randn(2, 3)
    assert tuple(seen) == PLACES
    assert adapters.at("block1", features).map is features
    adapted = adapters.at("block2", features)
    assert torch.equal(adapted.map, features * adapters.block2.weight)
    assert adapted.note == "scaled"


def test_noise_is_handed_to_the_module():
    class Noisy(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features + noise("block1", (2, 3)))

    adapters = Adapters(PLACES[:1], lambda place: Noisy())
    out = adapters.at("block1", torch.zeros(2, 3), lambda name, shape: torch.full(shape, float(len(name)))).map
    assert torch.equal(out, torch.full((2, 3), 6.0))


def test_parameters_of_adapters_and_of_the_rest_are_told_apart():
    network = Network(lambda place: Scale(place.width))
    adapters, rest = set(adapter_parameters(network)), set(backbone_parameters(network))
    assert rest == set(network.linear.parameters())
    assert adapters == set(network.parameters()) - rest
    assert len(adapters) == 3


def test_initial_values_of_adapters_do_not_move_torchs_generator():
    torch.manual_seed(5)
    Network()
    plain = torch.rand(4)
    torch.manual_seed(5)
    Network(lambda place: Scale(place.width))
    assert torch.equal(torch.rand(4), plain)


def test_initial_values_of_adapters_follow_from_the_seed_and_differ_between_networks():
    def weights(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [
            network.adapters.block1.weight for network in (Network(lambda p: Scale(3)), Network(lambda p: Scale(3)))
        ]

    first, second = weights(1)
    again, _ = weights(1)
    other, _ = weights(2)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_generator_is_left_alone_when_a_factory_fails():
    def factory(place):
        torch.rand(3)
        raise RuntimeError("no adapter today")

    state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no adapter today"):
        Adapters(PLACES, factory)
    assert torch.equal(torch.get_rng_state(), state)


def test_after_each_block_its_adapter_acts_and_the_next_block_goes_on_from_there():
    class PlusOne(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features + 1, note=None)

    kinds = {1: Scale, 3: lambda width: PlusOne()}
    adapters = Adapters(PLACES, lambda place: kinds[place.index](place.width) if place.index in kinds else None)
    x = torch.randn(2, 3)
    last, maps, notes = adapters.after_each(PLACES, [torch.exp, torch.neg, torch.square], x)
    first = x.exp() * adapters.block1.weight
    expected = {"block1": first, "block2": -first, "block3": first.square() + 1}
    assert list(maps) == list(expected)
    assert all(torch.equal(maps[name], value) for name, value in expected.items())
    assert torch.equal(last, expected["block3"])
    assert notes == {"block1": "scaled"}  # of an adapter that has one


def test_a_block_without_a_place_of_its_own_is_a_mistake():
    with pytest.raises(ValueError, match="shorter|longer"):
        Adapters(PLACES, None).after_each(PLACES, [torch.exp, torch.neg], torch.zeros(2, 3))


def test_adapters_of_a_network_inside_another_count_too():
    outer = nn.ModuleDict({"inner": Network(lambda place: Scale(place.width)), "more": nn.Linear(2, 1)})
    assert list(adapter_parameters(outer)) == list(outer["inner"].adapters.parameters())
    assert set(backbone_parameters(outer)) == {*outer["inner"].linear.parameters(), *outer["more"].parameters()}
