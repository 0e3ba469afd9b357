"""dcgan's discriminators: the published parameters, their layers one by one, and what they look at."""

from __future__ import annotations

import pytest
import torch
from small_biggan import CONDITION, count
from small_dcgan import DESIGNS, conv, convolved, normalised, pair
from torch import nn

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import DcganSettings
from harness.contracts.networks import Adapted

ALTERNATING = (
    *(conv(3, 64, 3), conv(64, 64, 4), conv(64, 128, 3), conv(128, 128, 4)),
    *(conv(128, 256, 3), conv(256, 256, 4), conv(256, 512, 3)),
)


STRIDED = (
    *(conv(3, 64, 4), conv(64, 128, 4), conv(128, 256, 4), conv(256, 512, 4)),
    2 * (64 + 128 + 256 + 512),  # batch norm
)


@pytest.mark.parametrize(
    ("kind", "layers", "feature", "k", "millions"),
    [
        ("alternating", ALTERNATING, 8192, 0, 2.94),
        ("alternating", ALTERNATING, 8192, 100, 3.75),
        ("strided", STRIDED, 2048, 0, 2.76),
        ("strided", STRIDED, 2048, 100, 2.96),
    ],
)
def test_the_discriminators_parameters_are_the_published_ones(kind, layers, feature, k, millions):
    with torch.device("meta"):
        discriminator = build(DcganSettings(discriminator=kind), (3, 32, 32)).discriminator(conditions=k)
    assert discriminator.feature_dim == feature
    # a row of weights and a bias for every condition, and nothing shared
    assert count(discriminator) == sum(layers) + max(k, 1) * (feature + 1)
    assert round(count(discriminator) / 1e6, 2) == millions


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_discriminator_does_what_is_written_out_here(kind):
    _, discriminator = pair(16, discriminator=kind, channels=3)
    discriminator.double()
    h = images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    strides = (2, 2, 2) if kind == "strided" else (1, 2, 1, 2, 1)
    slope = 0.2 if kind == "strided" else 0.1
    for (layer, *norms), stride in zip(discriminator.blocks, strides, strict=True):
        assert layer.weight.shape[-1] == (4 if stride == 2 else 3)
        h = convolved(h, layer, stride)
        assert len(norms) == (2 if kind == "strided" else 1)  # with batch norm, or the activation alone
        h = normalised(h, norms[0]) if kind == "strided" else h
        h = torch.where(h > 0, h, slope * h)
    critique = discriminator(images, CONDITION)
    torch.testing.assert_close(critique.feature, h.reshape(3, -1))
    head = discriminator.heads.rows.linear
    every = h.reshape(3, -1) @ head.weight.T + head.bias  # one logit a condition
    torch.testing.assert_close(critique.logit, every[range(3), CONDITION])


def test_a_projection_can_stand_in_for_the_rows():
    _, discriminator = pair(conditioning="projection")
    heads = discriminator.heads
    critique = discriminator(torch.randn(3, 1, 8, 8), CONDITION)
    f = critique.feature
    expected = f @ heads.linear.weight[0] + heads.linear.bias + (heads.projection.weight[CONDITION] * f).sum(1)
    torch.testing.assert_close(critique.logit, expected)


def test_only_the_strided_discriminator_looks_at_the_rest_of_the_batch():
    images = torch.randn(4, 1, 8, 8)
    for kind in DESIGNS:
        _, discriminator = pair(conditions=0, discriminator=kind)
        alone, beside = discriminator(images[:2]).score, discriminator(images).score[:2]
        assert torch.allclose(alone, beside, atol=1e-5) == (kind == "alternating")


@pytest.mark.parametrize("kind", DESIGNS)
def test_what_an_adapter_makes_of_a_map_goes_on(kind):
    class Half(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features / 2, note=features)

    at_first = lambda place: Half() if place.index == 1 else None  # noqa: E731
    _, discriminator = pair(16, discriminator=kind, adapters=at_first)
    critique = discriminator(torch.randn(3, 1, 16, 16), CONDITION)
    assert list(critique.notes) == ["block1"]
    assert torch.equal(critique.maps["block1"], critique.notes["block1"] / 2)
    second = discriminator.blocks[1](critique.maps["block1"])
    assert torch.equal(critique.maps["block2"], second)


def test_a_missing_or_unexpected_condition_is_a_mistake():
    images = torch.randn(3, 1, 8, 8)
    with pytest.raises(ValueError, match="one of 3 conditions"):
        pair()[1](images)
    with pytest.raises(ValueError, match="no condition"):
        pair(conditions=0)[1](images, CONDITION)
