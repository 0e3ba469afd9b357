"""Geometric transforms as 3 x 3 maps, and resampling of images along such a map.

Maps are *inverse*: they take a place in the result to the place in the image that its value comes from, so the map that
is multiplied on the right acts first on places and last on pixels. Places are (x, y, 1) in pixels from the image's
centre, x to the right and y down.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.bilinear import read
from harness.builtin.augmentations.ada.wavelets import Floats, mirrored, sym6
from harness.contracts import upload

#: places beyond each border that the result is sampled at, so that the filter that halves it has what it needs
EDGE = 3


def _rows(*entries: Tensor) -> Tensor:
    """The 3 x 3 maps [N, 3, 3] whose first two rows are these six entries [N]."""
    nought, one = torch.zeros_like(entries[0]), torch.ones_like(entries[0])
    return torch.stack([*entries, nought, nought, one], 1).view(-1, 3, 3)


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """Map under which the image grows by `x` and `y` along the two axes; [N], [N] to [N, 3, 3]."""
    nought = torch.zeros_like(x)
    return _rows(1 / x, nought, nought, nought, 1 / y, nought)


def shift(x: Tensor, y: Tensor) -> Tensor:
    """Map under which the image moves right by `x` pixels and down by `y`; [N], [N] to [N, 3, 3]."""
    nought, one = torch.zeros_like(x), torch.ones_like(x)
    return _rows(one, nought, -x, nought, one, -y)


def rotation(angle: Tensor) -> Tensor:
    """Map under which the image turns counter-clockwise, as one sees it, by `angle` radians; [N] to [N, 3, 3]."""
    c, s, nought = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _rows(c, -s, nought, s, c, nought)


def upsampling(size: int) -> Floats:
    """What extends a row of pixels and doubles its rate; [2 (3 size - 2), size].

    The row is mirrored by size - 1 pixels on each side, which is all that one mirroring can give; zeros are put between
    pixels, and sym6 is convolved, its taps 5 before to 6 after.
    """
    margin = size - 1
    source = mirrored(size, margin)
    taps = 2 * sym6()  # twice, because every second place holds a zero
    matrix = np.zeros((2 * len(source), size))
    for place, pixel in enumerate(source):
        for tap, weight in enumerate(taps):
            row = 2 * place + tap - 5
            if 0 <= row < len(matrix):
                matrix[row, pixel] += weight
    return matrix


def downsampling(size: int) -> Floats:
    """What halves the rate of a row that reaches `EDGE` pixels beyond both borders; [size, 2 (size + 2 EDGE)].

    The transpose of doubling, halved: because sym6 is orthonormal, the one undoes the other.
    """
    taps = sym6()
    matrix = np.zeros((size, 2 * (size + 2 * EDGE)))
    for pixel in range(size):
        matrix[pixel, 2 * pixel + 1 : 2 * pixel + 1 + len(taps)] = taps
    return matrix


@lru_cache(maxsize=32)
def _up(size: int, device: torch.device) -> Tensor:
    return upload(torch.from_numpy(upsampling(size)).float(), device)


@lru_cache(maxsize=32)
def _down(size: int, device: torch.device) -> Tensor:
    return upload(torch.from_numpy(downsampling(size)).float(), device)


def _places(size: int, device: torch.device) -> Tensor:
    """Places along one axis that the result is sampled at, in pixels from the centre; [2 (size + 2 EDGE)].

    Half a pixel apart, so that every second one is the centre of a pixel.
    """
    count = 2 * (size + 2 * EDGE)
    return (torch.arange(count, device=device, dtype=torch.float32) + 1 - count / 2) / 2


def resample(images: Tensor, maps: Tensor) -> Tensor:
    """Images seen through inverse maps; float32 [N, C, H, W] and [N, 3, 3] to [N, C, H, W].

    Karras et al. (2020), appendix B: the image is mirrored beyond its borders and its rate doubled with sym6; values
    between the finer pixels are interpolated bilinearly; the same filter, backwards, halves the rate. Beyond one
    mirroring (three sides in all) the plane is 0. sym6 is not symmetric, so a mirrored image is not exactly its pixels
    in reverse; the identity, and shifts by whole pixels, are exact up to rounding. Linear in the images, so that it can
    be differentiated any number of times.
    """
    height, width = images.shape[2:]
    device = images.device
    fine = _up(height, device) @ images @ _up(width, device).t()  # [N, C, 2 (3 H - 2), 2 (3 W - 2)]
    x, y = _places(width, device), _places(height, device)
    entries = maps[:, :2, :, None, None]  # [N, 2, 3, 1, 1]
    seen = entries[:, :, 0] * x + (entries[:, :, 1] * y[:, None] + entries[:, :, 2])  # [N, 2 (x, y), 2 (H + 6), ...]
    # a pixel's centre lies a quarter of a pixel after that of the finer pixel with the same taps
    grid = torch.stack([(4 * seen[:, axis] - 1) / fine.shape[3 - axis] for axis in (0, 1)], 3)
    return _down(height, device) @ read(fine, grid) @ _down(width, device).t()
