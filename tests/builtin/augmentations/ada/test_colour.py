"""Colour maps against what defines them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.colour import brightness, contrast, hue, luma_flip, recolour, saturation

COLOURS = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
GREY = torch.ones(3, 1)


def through(maps: Tensor, colours: Tensor = COLOURS) -> Tensor:
    """Columns of colours [3, K] as an image of one row."""
    return recolour(colours[None, :, None], maps)[0, :, 0]


def luma(colours: Tensor) -> Tensor:
    return colours.mean(0)


def chroma(colours: Tensor) -> Tensor:
    return colours - luma(colours)


@pytest.mark.parametrize(
    "maps",
    [
        *(brightness(torch.zeros(1)), contrast(torch.ones(1)), luma_flip(torch.zeros(1))),
        *(hue(torch.zeros(1)), hue(torch.full((1,), 2 * math.pi)), saturation(torch.ones(1))),
    ],
)
def test_the_neutral_strength_is_the_identity(maps):
    assert torch.allclose(maps[0], torch.eye(4), atol=1e-6)


def test_brightness_adds_and_contrast_multiplies():
    assert torch.allclose(through(brightness(torch.tensor([0.3]))), COLOURS + 0.3)
    assert torch.allclose(through(contrast(torch.tensor([1.7]))), COLOURS * 1.7)


def test_the_flip_negates_luminance_alone():
    flipped = through(luma_flip(torch.ones(1)))
    assert torch.allclose(luma(flipped), -luma(COLOURS), atol=1e-6)
    assert torch.allclose(chroma(flipped), chroma(COLOURS), atol=1e-6)


def test_a_third_of_a_turn_of_the_hue_makes_red_green_and_green_blue():
    turned = through(hue(torch.tensor([2 * math.pi / 3])))
    assert torch.allclose(turned, COLOURS.roll(1, 0), atol=1e-6)  # green out is red in


def test_any_turn_keeps_greys_and_lengths():
    maps = hue(torch.tensor([0.7]))
    assert torch.allclose(through(maps, GREY), GREY, atol=1e-6)
    assert torch.allclose(through(maps).norm(dim=0), COLOURS.norm(dim=0), atol=1e-6)


def test_saturation_multiplies_chroma_alone():
    changed = through(saturation(torch.tensor([2.5])))
    assert torch.allclose(luma(changed), luma(COLOURS), atol=1e-6)
    assert torch.allclose(chroma(changed), 2.5 * chroma(COLOURS), atol=1e-6)


def test_a_grey_image_is_one_with_three_equal_channels():
    image = torch.randn(2, 1, 4, 5, generator=torch.Generator().manual_seed(1))
    strengths = torch.tensor([0.4, -0.2])
    maps = luma_flip(torch.tensor([1.0, 0.0])) @ contrast(strengths.exp2()) @ brightness(strengths)
    expected = recolour(image.expand(-1, 3, -1, -1), maps).mean(1, keepdim=True)
    assert torch.allclose(recolour(image, maps), expected, atol=1e-6)


def test_each_image_has_its_own_map():
    images = torch.ones(2, 3, 2, 2)
    assert recolour(images, brightness(torch.tensor([1.0, 2.0]))).mean((1, 2, 3)).tolist() == [2.0, 3.0]
