"""mlp's discriminator: what a hidden layer computes, what the logit says of the condition, and what is asked for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from small_mlp import SMALL
from torch import nn

from harness.builtin.models.mlp.backbone import build
from harness.builtin.models.mlp.discriminator import Maxout
from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.contracts.networks import Adapted


@pytest.mark.parametrize("conditioning", ["rows", "projection"])
def test_the_logit_is_the_row_of_the_condition_or_a_projection(conditioning):
    settings = SMALL.model_copy(update={"conditioning": conditioning})
    discriminator = build(settings, (2,)).discriminator(conditions=3)
    condition = torch.tensor([2, 0, 1, 1])
    critique = discriminator(torch.randn(4, 2), condition)
    f, heads = critique.feature, discriminator.heads
    if conditioning == "rows":
        expected = (f @ heads.rows.linear.weight.T + heads.rows.linear.bias)[range(4), condition]
    else:
        shared = f @ heads.linear.weight[0] + heads.linear.bias
        expected = shared + (heads.projection.weight[condition] * f).sum(1)
    torch.testing.assert_close(critique.logit, expected)


def test_maxout_takes_the_largest_piece_of_each_unit():
    layer = Maxout(3, 4, 5)
    x = torch.randn(7, 3)
    pieces = [F.linear(x, layer.linear.weight[i::4], layer.linear.bias[i::4]).amax(1) for i in range(4)]
    torch.testing.assert_close(layer(x), torch.stack(pieces, 1))


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.2)])
def test_other_activations_replace_maxout(activation, slope):
    settings = MlpSettings(discriminator_activation=activation, discriminator_layers=1, discriminator_width=6)
    discriminator = build(settings, (2,)).discriminator()
    x = torch.randn(5, 2)
    critique = discriminator(x)
    expected = F.leaky_relu(discriminator.layers[0][0](x), slope)
    torch.testing.assert_close(critique.feature, expected)


def test_all_hidden_layers_are_maxout_by_default_and_nothing_is_normalised():
    discriminator = build(SMALL, (3,)).discriminator()
    x = torch.randn(7, 3)
    h = x
    for layer in discriminator.layers:
        every = h @ layer.linear.weight.T + layer.linear.bias  # the pieces of all units, one after another
        h = torch.stack([every[:, 12 * piece : 12 * piece + 12] for piece in range(5)]).amax(0)
    torch.testing.assert_close(discriminator(x).feature, h)
    alone = torch.cat([discriminator(row[None]).score for row in x])
    torch.testing.assert_close(discriminator(x).score, alone)


def test_what_an_adapter_returns_goes_on_to_the_next_layer_and_the_heads():
    class Half(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features / 2)

    discriminator = build(SMALL, (2,)).discriminator(adapters=lambda place: Half())
    x = torch.randn(4, 2)
    critique = discriminator(x)
    first = discriminator.layers[0](x) / 2
    second = discriminator.layers[1](first) / 2
    assert torch.equal(critique.maps["block1"], first)
    assert torch.equal(critique.feature, second)
    assert critique.notes == {}


def test_packs_outputs_and_extra_heads_are_as_asked_for():
    backbone = build(SMALL, (3,))
    assert backbone.discriminator(pack=4).layers[0].linear.in_features == 12
    critique = backbone.discriminator(outputs=5, heads={"code": 7})(torch.randn(2, 3))
    assert (critique.score.shape, critique.heads["code"].shape) == ((2, 5), (2, 7))
    without = backbone.discriminator(outputs=0, conditions=3)(torch.randn(2, 3), torch.tensor([0, 2]))
    assert (without.logit, without.class_term.shape) == (None, (2,))
