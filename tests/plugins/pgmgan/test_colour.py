"""Changes of colour, image by image, against torchvision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from harness_pgmgan import colour
from torch import Tensor
from torchvision.transforms.v2 import functional as TF

N = 6


def draw(channels: int = 3, size: int = 20) -> Tensor:
    """Images whose values are those of 8 bits; the last but one is dark, the last has a constant channel."""
    levels = torch.randint(256, (N, channels, size, size), generator=torch.Generator().manual_seed(0))
    levels[-2] //= 4
    levels[-1, 0] = 77
    return levels / 255.0


def amounts(low: float, high: float) -> Tensor:
    return torch.rand(N, generator=torch.Generator().manual_seed(1)) * (high - low) + low


Change = Callable[[Tensor, Tensor], Tensor]
Oracle = Callable[[Tensor, float], Tensor]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (colour.brightened, TF.adjust_brightness),
        (colour.contrasted, TF.adjust_contrast),
        (colour.saturated, TF.adjust_saturation),
        (colour.sharpened, TF.adjust_sharpness),
    ],
    ids=["brightness", "contrast", "saturation", "sharpness"],
)
def test_blends_are_those_of_torchvision(ours: Change, theirs: Oracle, channels: int) -> None:
    images, factors = draw(channels), amounts(0.05, 1.95)
    expected = [theirs(image, float(factor)) for image, factor in zip(images, factors, strict=True)]
    torch.testing.assert_close(ours(images, factors), torch.stack(expected), atol=1e-6, rtol=0)


def test_hue_is_that_of_torchvision() -> None:
    images, turns = draw(), amounts(-0.5, 0.5)
    images[0, :, 0, :4] = torch.tensor(
        [[0.0, 1.0, 0.5, 0.2], [0.0, 1.0, 0.5, 0.9], [0.0, 1.0, 0.2, 0.9]]
    )  # ties, greys
    expected = [TF.adjust_hue(image, float(turn)) for image, turn in zip(images, turns, strict=True)]
    torch.testing.assert_close(colour.hue_shifted(images, turns), torch.stack(expected), atol=1e-5, rtol=0)
    torch.testing.assert_close(colour.hue_shifted(images, torch.zeros(N)), images, atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_is_that_of_torchvision(channels: int) -> None:
    images = draw(channels)
    torch.testing.assert_close(colour.grey(images), TF.rgb_to_grayscale(images), atol=1e-6, rtol=0)


def test_two_channels_have_no_grey() -> None:
    with pytest.raises(ValueError, match="1 or 3 channels, not 2"):
        colour.grey(torch.zeros(1, 2, 4, 4))


def test_channels_apart_do_as_one_channel_alone() -> None:
    images = draw()
    factors = torch.rand(N, 3, generator=torch.Generator().manual_seed(2)) + 0.5
    contrast, brightness = colour.contrasted_by_channel(images, factors), colour.brightened(images, factors)
    for c in range(3):
        alone = images[:, c : c + 1]
        torch.testing.assert_close(contrast[:, c : c + 1], colour.contrasted(alone, factors[:, c]))
        torch.testing.assert_close(brightness[:, c : c + 1], colour.brightened(alone, factors[:, c]))


def test_posterise_is_that_of_torchvision_on_8_bits() -> None:
    images, bits = draw(), torch.tensor([0.0, 2.0, 4.0, 5.0, 7.0, 8.0])
    expected = [TF.posterize((image * 255).round().byte(), int(keep)) for image, keep in zip(images, bits, strict=True)]
    torch.testing.assert_close(colour.posterised(images, bits), torch.stack(expected) / 255.0)


def test_solarise_is_that_of_torchvision() -> None:
    images, thresholds = draw(), torch.tensor([0.0, 0.3, 0.5, 100 / 255, 1.0, 256 / 255])
    found = colour.solarised(images, thresholds)
    expected = [TF.solarize(image, float(t)) for image, t in zip(images[:-1], thresholds[:-1], strict=True)]
    torch.testing.assert_close(found[:-1], torch.stack(expected))
    assert torch.equal(found[-1], images[-1])


def test_autocontrast_is_that_of_torchvision() -> None:
    images = draw() * 0.7 + 0.1
    expected = torch.stack([TF.autocontrast(image) for image in images])
    torch.testing.assert_close(colour.autocontrasted(images), expected, atol=1e-6, rtol=0)
    assert torch.equal(colour.autocontrasted(images)[-1, 0], images[-1, 0])


@pytest.mark.parametrize("size", [8, 20, 33])
def test_equalise_is_that_of_torchvision(size: int) -> None:
    images = draw(3, size)
    images[1] = images[1].round()  # black and white
    images[2] = (images[2] * 6).round() / 6
    images = (images * 255).round() / 255
    expected = torch.stack([TF.equalize(image) for image in images])
    torch.testing.assert_close((colour.equalised(images) * 255).round(), (expected * 255).round())
