"""Maps of places, and images resampled along them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.geometry import downsampling, resample, rotation, scaling, shift, upsampling
from harness.builtin.augmentations.ada.wavelets import sym6


def one(*values: float) -> tuple[Tensor, ...]:
    return tuple(torch.tensor([value]) for value in values)


def noise(height: int = 12, width: int = 16, n: int = 1) -> Tensor:
    return torch.randn(n, 3, height, width, generator=torch.Generator().manual_seed(0))


def blob(x: float, y: float, size: int = 33, spread: float = 3.0) -> Tensor:
    """A smooth spot at (x, y) pixels from the centre, y down."""
    places = torch.arange(size) - (size - 1) / 2
    spot = torch.exp(-((places - x) ** 2)[None] / (2 * spread**2) - ((places - y) ** 2)[:, None] / (2 * spread**2))
    return spot[None, None]


def test_doubling_is_mirroring_putting_zeros_and_convolving():
    row = np.random.default_rng(0).normal(size=9)
    spread = np.zeros(2 * (3 * 9 - 2))
    spread[::2] = np.pad(row, 8, mode="reflect")
    assert upsampling(9) @ row == pytest.approx(2 * np.convolve(spread, sym6())[5 : 5 + len(spread)])


def test_halving_undoes_doubling():
    size = 11
    inner = slice(2 * (size - 1 - 3), 2 * (size - 1 + size + 3))  # the image's own places and three on each side
    assert downsampling(size) @ upsampling(size)[inner] == pytest.approx(np.eye(size), abs=1e-10)


@pytest.mark.parametrize("shape", [(12, 16), (8, 7), (64, 64)])
def test_the_identity_gives_the_image_back(shape):
    images = noise(*shape, n=2)
    assert torch.allclose(resample(images, torch.eye(3).expand(2, 3, 3)), images, atol=5e-5)


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, -2), (-4, 5)])
def test_shifts_by_whole_pixels_are_exact_and_what_moves_in_is_the_mirrored_image(x, y):
    images = noise()
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (8, 8), (8, 8)), mode="reflect")
    expected = padded[:, :, 8 - y : 8 - y + 12, 8 - x : 8 - x + 16]  # x to the right, y down
    assert torch.allclose(resample(images, shift(*one(x, y))), torch.from_numpy(expected), atol=5e-6)


def test_beyond_one_mirroring_there_is_nothing():
    gone = resample(torch.ones(1, 1, 8, 8), shift(*one(40.0, 0.0)))
    assert torch.equal(gone, torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("maps", "x", "y"),
    [
        (shift(*one(2.5, -1.25)), 8.5, -3.25),
        (scaling(*one(1.5, 0.8)), 9.0, -1.6),
        (scaling(*one(-1.0, 1.0)), -6.0, -2.0),
        (rotation(*one(math.pi / 2)), -2.0, -6.0),  # counter-clockwise: what is right comes to the top
        (rotation(*one(-math.pi / 6)), 6 * math.cos(0.5236) + 2 * 0.5, 6 * 0.5 - 2 * math.cos(0.5236)),
    ],
)
def test_a_spot_goes_where_the_transform_says(maps, x, y):
    seen = resample(blob(6.0, -2.0), maps)[0, 0]
    places = torch.arange(33) - 16.0
    core = (seen * (seen > 0.3)).clamp_min(0)
    found = ((core.sum(0) * places).sum() / core.sum(), (core.sum(1) * places).sum() / core.sum())
    assert found == pytest.approx((x, y), abs=0.15)


def test_a_map_on_the_right_acts_last_on_the_pixels():
    image = blob(6.0, -2.0)
    both = resample(image, shift(*one(-4.0, 1.0)) @ rotation(*one(math.pi / 2)))
    in_turn = resample(resample(image, shift(*one(-4.0, 1.0))), rotation(*one(math.pi / 2)))
    assert (both - in_turn).abs().max() < 0.05
    assert (both - resample(image, rotation(*one(math.pi / 2)) @ shift(*one(-4.0, 1.0)))).abs().max() > 0.5


def test_each_image_has_its_own_map():
    images = noise(n=2)
    maps = torch.cat([shift(*one(2.0, 0.0)), shift(*one(0.0, 3.0))])
    for row in range(2):
        alone = resample(images[row : row + 1], maps[row : row + 1])
        assert torch.allclose(resample(images, maps)[row : row + 1], alone, atol=1e-6)
