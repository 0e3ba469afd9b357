"""Differentiable augmentation: random colour, shifts and holes, Zhao et al. (NeurIPS 2020).

The changes are pure functions of images [N, C, H, W] and of draws [N], one for each image. Each is affine in the
images, can be differentiated twice, and keeps their type; values may leave [-1, 1], as in the authors' code. What moves
in or is cut out is 0, the middle of the range. Colours are computed in float32 at least.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from harness.builtin.augmentations.diffaugment_settings import DiffAugmentSettings
from harness.contracts import Draws
from harness.layers import full


def brightness(images: Tensor, u: Tensor) -> Tensor:
    """x + (u - 1/2), for images [N, C, H, W] and u uniform in [0, 1), [N]."""
    return (images + (u - 0.5)[:, None, None, None]).to(images.dtype)


def saturation(images: Tensor, u: Tensor) -> Tensor:
    """m + 2u (x - m) with m the mean over a pixel's channels, u uniform in [0, 1), [N]; grey images do not change."""
    if images.shape[1] == 1:
        return images
    wide = full(images)
    mean = wide.mean(1, keepdim=True)  # [N, 1, H, W]
    return torch.lerp(mean, wide, _one_each(2.0 * u, wide)).to(images.dtype)


def contrast(images: Tensor, u: Tensor) -> Tensor:
    """m + (u + 1/2) (x - m) with m the mean over an image's values, u uniform in [0, 1), [N]."""
    wide = full(images)
    mean = wide.mean((1, 2, 3), keepdim=True)  # [N, 1, 1, 1]
    return torch.lerp(mean, wide, _one_each(u + 0.5, wide)).to(images.dtype)


def translation(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixel (i, j) is what was pixel (i + rows, j + columns), and 0 where there was none; shifts int64 [N]."""
    channels, height, width = images.shape[1:]
    i = _positions(height, images.device) + rows[:, None]  # [N, H]
    j = _positions(width, images.device) + columns[:, None]  # [N, W]
    beyond_rows, beyond_columns = (i < 0) | (i >= height), (j < 0) | (j >= width)
    # wrapped around, so that no pixel is read twice and no sum of gradients depends on an order
    source = (i % height)[:, :, None] * width + (j % width)[:, None, :]  # [N, H, W]
    read: Tensor = images.flatten(2).gather(2, source.flatten(1)[:, None].expand(-1, channels, -1))  # [N, C, HW]
    beyond = beyond_rows[:, :, None] | beyond_columns[:, None, :]
    return read.view(images.shape).masked_fill(beyond[:, None], 0.0)


def cutout(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """0 inside a box of half the image's sides, so far as it lies in the image.

    :param rows: int64 [N], the box's middle, 0 to H where its height is even and to H - 1 where it is odd; likewise
        `columns`.
    """
    height, width = images.shape[2:]
    in_rows = _in_box(height, rows, images.device)
    in_columns = _in_box(width, columns, images.device)
    return images.masked_fill((in_rows[:, :, None] & in_columns[:, None, :])[:, None], 0.0)


def reach(side: int) -> int:
    """Largest shift, in pixels, along a side of so many: an eighth, rounded half up."""
    return (side + 4) // 8


def box(side: int) -> int:
    """Size of the hole, in pixels, along a side of so many: a half, rounded half up."""
    return (side + 1) // 2


class DiffAugment:
    """The changes that a policy names, one after another, with draws of each image's own.

    It keeps no state and does not look at scores.
    """

    def __init__(self, settings: DiffAugmentSettings, draws: Draws) -> None:
        self.settings = settings
        self.draws = draws
        self._changes = {"color": self._color, "translation": self._translation, "cutout": self._cutout}

    def __call__(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W], changed; same shape and type."""
        for word in self.settings.policy:
            images = self._changes[word](images)
        return images

    def observe(self, scores: Tensor) -> None:
        """Nothing: its strength is fixed."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing: it keeps no state."""

    def _color(self, images: Tensor) -> Tensor:
        n = len(images)
        images = brightness(images, self.draws.uniform(n))
        images = saturation(images, self.draws.uniform(n))
        return contrast(images, self.draws.uniform(n))

    def _translation(self, images: Tensor) -> Tensor:
        rows, columns = (self._shift(len(images), side) for side in images.shape[2:])
        return translation(images, rows, columns)

    def _shift(self, n: int, side: int) -> Tensor:
        most = reach(side)
        return self.draws.integers(2 * most + 1, n) - most

    def _cutout(self, images: Tensor) -> Tensor:
        # an even box has its middle between two pixels: one place more
        rows, columns = (self.draws.integers(side + 1 - box(side) % 2, len(images)) for side in images.shape[2:])
        return cutout(images, rows, columns)


def _one_each(factor: Tensor, like: Tensor) -> Tensor:
    """A factor [N] for each image, [N, 1, 1, 1]."""
    return factor.to(like.dtype)[:, None, None, None]


def _in_box(side: int, middle: Tensor, device: torch.device) -> Tensor:
    """Which of `side` positions lie in the box around each middle [N]; bool [N, side]."""
    size = box(side)
    from_start = _positions(side, device) - (middle - size // 2)[:, None]  # [N, side]
    return (from_start >= 0) & (from_start < size)


@lru_cache(maxsize=64)
def _positions(side: int, device: torch.device) -> Tensor:
    """0 to side - 1 on the device, made once; int64 [side]."""
    return torch.arange(side, device=device)
