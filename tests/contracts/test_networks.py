"""The places of a backbone and the modules put there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.contracts.networks import Adapted, Critique, Discriminator, Generator, Place
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


def test_a_place_is_named_by_kind_and_index():
    assert [place.name for place in PLACES] == ["block1", "block2", "block3"]
    assert Place("generator", "conv", 7, 1, 4).name == "conv7"


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


def test_a_critique_without_a_linear_head_has_no_score():
    feature = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="outputs=0"):
        _ = Critique(logit=None, class_term=None, feature=feature).score
    assert Critique(logit=feature[:, 0], class_term=None, feature=feature).score is not None


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_a_network_that_defines_no_forward_says_so(network):
    class Empty(network):
        pass

    with pytest.raises(TypeError, match="Empty does not define forward"):
        Empty()(torch.zeros(1))
