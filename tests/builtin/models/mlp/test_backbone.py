"""The fully connected networks for points, both together: sizes, places, precision, and what is refused."""

from __future__ import annotations

import copy

import pytest
import torch
from small_mlp import SMALL
from torch import nn

from harness.builtin.models.mlp.backbone import build
from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.contracts.networks import Adapted, Place
from harness.errors import SettingsError
from harness.layers.adapters import adapter_parameters


def count(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("k", "of_generator", "of_discriminator"), [(25, 500_002, 410_025), (8, 499_458, 406_608)])
def test_the_default_networks_have_the_published_number_of_parameters(k, of_generator, of_discriminator):
    with torch.device("meta"):
        backbone = build(MlpSettings(), (2,))
        assert count(backbone.generator(conditions=k)) == of_generator
        assert count(backbone.discriminator(conditions=k)) == of_discriminator


def test_points_in_points_out():
    backbone = build(SMALL, (3,))
    points = backbone.generator(conditions=4)(torch.randn(5, 2), torch.tensor([0, 1, 2, 3, 3]))
    assert points.shape == (5, 3)
    assert backbone.discriminator()(points).logit.shape == (5,)
    assert backbone.discriminator(outputs=4)(points).logit.shape == (5, 4)
    assert backbone.discriminator(pack=2)(torch.cat([points, points], 1)).logit.shape == (5,)


def test_the_networks_may_see_the_data_larger_than_they_are():
    large = SMALL.model_copy(update={"scale": 50.0})
    latent, points = torch.randn(4, 2), torch.randn(4, 2)
    pairs = [(build(settings, (2,)).generator(), build(settings, (2,)).discriminator()) for settings in (SMALL, large)]
    (as_is, judge), (scaled, scaled_judge) = pairs
    scaled.load_state_dict(as_is.state_dict())
    scaled_judge.load_state_dict(judge.state_dict())
    torch.testing.assert_close(scaled(latent) * 50, as_is(latent))
    torch.testing.assert_close(scaled_judge(points).logit, judge(points * 50).logit)


def test_places_follow_every_hidden_layer_and_adapters_act_there():
    seen = []

    class Double(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(2.0))

        def forward(self, features, noise=None):
            return Adapted(features * self.factor, note=features)

    def factory(place: Place):
        seen.append(place)
        return Double()

    backbone = build(SMALL, (2,))
    generator, discriminator = backbone.generator(adapters=factory), backbone.discriminator(adapters=factory)
    assert [(p.network, p.name, p.width, p.resolution) for p in seen] == [
        *(("generator", f"block{i}", 16, 0) for i in (1, 2, 3)),
        *(("discriminator", f"block{i}", 12, 0) for i in (1, 2)),
    ]
    assert generator.places + discriminator.places == tuple(seen)
    critique = discriminator(torch.randn(3, 2))
    assert torch.equal(critique.maps["block2"], critique.notes["block2"] * 2)
    assert torch.equal(critique.feature, critique.maps["block2"])
    assert len(list(adapter_parameters(generator))) == 3


def test_adapters_do_not_change_the_rest():
    def networks(factory):
        torch.manual_seed(3)
        backbone = build(SMALL, (2,))
        return backbone.generator(conditions=2, adapters=factory), backbone.discriminator(adapters=factory)

    for plain, adapted in zip(networks(None), networks(lambda place: nn.Linear(place.width, 1)), strict=True):
        for name, value in plain.state_dict().items():
            assert torch.equal(value, adapted.state_dict()[name])


def test_gradients_reach_every_parameter():
    backbone = build(SMALL, (2,))
    generator, discriminator = backbone.generator(conditions=3), backbone.discriminator(conditions=3)
    condition = torch.tensor([0, 1, 2, 0])
    discriminator(generator(torch.randn(4, 2), condition), condition).score.sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_networks_run_in_double_and_under_bf16():
    backbone = build(SMALL, (2,))
    generator, discriminator = backbone.generator(), backbone.discriminator()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        critique = discriminator(generator(torch.randn(4, 2)))
    assert critique.score.dtype == torch.float32
    critique.score.sum().backward()
    out = copy.deepcopy(discriminator).double()(copy.deepcopy(generator).double()(torch.randn(4, 2).double()))
    assert out.score.dtype == torch.float64


@pytest.mark.parametrize("shape", [(3, 32, 32), (0,), ()])
def test_other_data_than_points_is_refused_in_one_line(shape):
    with pytest.raises(SettingsError, match="backbone 'mlp' builds points"):
        build(MlpSettings(), shape)


def test_a_generator_with_a_negative_number_of_conditions_is_refused():
    with pytest.raises(SettingsError, match="conditions=-2"):
        build(MlpSettings(), (2,)).generator(conditions=-2)
