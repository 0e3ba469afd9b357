"""Moving, cutting and hiding parts of images, each image by amounts of its own; no loop over images.

Images here are float [N, C, H, W] in [0, 1], and what comes in from beyond the edge is black (0). Coordinates are in
pixels, x to the right and y downward, from the centre of the image.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.contracts import Draws

Interpolation = Literal["nearest", "bilinear"]

#: boxes that are tried before the fall-back, and their aspect ratios (width over height), as torchvision has them
_TRIES = 10
_RATIO = (3 / 4, 4 / 3)


class Boxes(NamedTuple):
    """One box an image, in whole pixels; each is int64 [N].

    :ivar top: first row.
    :ivar left: first column.
    """

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def flipped(images: Tensor, which: Tensor) -> Tensor:
    """Mirror images left to right where `which` bool [N] says so."""
    return torch.where(which[:, None, None, None], images.flip(-1), images)


def warped(images: Tensor, matrix: Tensor, interpolation: Interpolation) -> Tensor:
    """Affine maps of images about their centres.

    :param matrix: float [N, 2, 3], takes (x, y, 1) of a pixel of the result to (x, y) of the place it is taken from.
    """
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    y = (torch.arange(height, device=images.device) - (height - 1) / 2)[:, None]
    # sums, and no matrix product: those may be rounded to TF32 or bfloat16, which is a good part of a pixel
    a, b, c, d, e, f = (entry[:, None, None] for entry in matrix.flatten(1).unbind(1))
    return _taken(images, a * x + b * y + c, d * x + e * y + f, interpolation)


def rotated(images: Tensor, degrees: Tensor, interpolation: Interpolation = "bilinear") -> Tensor:
    """Turn images counterclockwise about their centres by `degrees` [N]."""
    cos, sin, zero = degrees.deg2rad().cos(), degrees.deg2rad().sin(), torch.zeros_like(degrees)
    return warped(images, _matrix([cos, -sin, zero, sin, cos, zero]), interpolation)


def sheared_x(images: Tensor, slope: Tensor) -> Tensor:
    """Row y is taken from `slope` [N] x y pixels further right, y counted from the top edge; nearest pixels."""
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return warped(images, _matrix([one, slope, slope * (images.shape[-2] / 2), zero, one, zero]), "nearest")


def sheared_y(images: Tensor, slope: Tensor) -> Tensor:
    """Column x is taken from `slope` [N] x x pixels further down, x counted from the left edge; nearest pixels."""
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return warped(images, _matrix([one, zero, zero, slope, one, slope * (images.shape[-1] / 2)]), "nearest")


def moved(images: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Take every pixel from `right` [N] and `down` [N] pixels further; nearest pixels."""
    one, zero = torch.ones_like(right), torch.zeros_like(right)
    return warped(images, _matrix([one, zero, right, zero, one, down]), "nearest")


def resized_crop(images: Tensor, boxes: Boxes) -> Tensor:
    """Blow up a box of each image to the size of the image; bilinear, never looking beyond the box."""
    height, width = images.shape[-2:]
    x = _stretched(width, boxes.left, boxes.width) - (width - 1) / 2
    y = _stretched(height, boxes.top, boxes.height) - (height - 1) / 2
    return _taken(images, x[:, None, :], y[:, :, None], "bilinear")


def random_boxes(images: Tensor, scale: tuple[float, float], draws: Draws) -> Boxes:
    """Boxes of random area, aspect ratio and place, by torchvision's RandomResizedCrop.

    The area is uniform, the logarithm of the ratio is uniform between those of 3/4 and 4/3; the first of ten tries that
    fits is taken, else the largest box in the middle whose ratio is allowed.

    :param scale: smallest and largest share of the image's area, each in (0, 1].
    """
    n, _, height, width = images.shape
    area = _tries(draws, n, *scale) * (height * width)
    ratio = _tries(draws, n, *map(math.log, _RATIO)).exp()
    widths, heights = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    first, any_fits = fits.byte().argmax(1, keepdim=True), fits.any(1)
    middle_width = min(width, round(height * _RATIO[1]))
    middle_height = min(height, round(width / _RATIO[0]))
    box_width = torch.where(any_fits, widths.gather(1, first)[:, 0], middle_width).long()
    box_height = torch.where(any_fits, heights.gather(1, first)[:, 0], middle_height).long()
    top, left = _random_place(height - box_height, draws), _random_place(width - box_width, draws)
    return Boxes(
        torch.where(any_fits, top, (height - middle_height) // 2),
        torch.where(any_fits, left, (width - middle_width) // 2),
        box_height,
        box_width,
    )


def hidden(images: Tensor, boxes: Boxes, fill: float) -> Tensor:
    """Paint a box of each image with `fill`; boxes may reach beyond the image."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device) - boxes.top[:, None]
    columns = torch.arange(width, device=images.device) - boxes.left[:, None]
    inside_y = (rows >= 0) & (rows < boxes.height[:, None])
    inside_x = (columns >= 0) & (columns < boxes.width[:, None])
    return images.masked_fill((inside_y[:, :, None] & inside_x[:, None, :])[:, None], fill)


def random_holes(images: Tensor, most: int, draws: Draws) -> Boxes:
    """Squares about random pixels for :func:`hidden`, by SCAN's Cutout (Van Gansbeke et al. 2020).

    The length is uniform from 1 to `most`, the square reaches half of it (rounded down) to either side of its centre.
    """
    n, _, height, width = images.shape
    half = (draws.integers(most, n) + 1) // 2
    y, x = draws.integers(height, n), draws.integers(width, n)
    return Boxes(y - half, x - half, 2 * half, 2 * half)


def _taken(images: Tensor, x: Tensor, y: Tensor, interpolation: Interpolation) -> Tensor:
    """Values at places x and y, which broadcast to [N, H, W], from the centre; 0 beyond the edge."""
    height, width = images.shape[-2:]
    x, y = torch.broadcast_tensors(2 * x / width, 2 * y / height)  # -1 and 1 are the outer edges of the image
    grid = torch.stack([x, y], -1).to(images.dtype)
    return F.grid_sample(images, grid, mode=interpolation, padding_mode="zeros", align_corners=False)


def _matrix(entries: list[Tensor]) -> Tensor:
    found: Tensor = torch.stack(entries, 1).unflatten(1, (2, 3))
    return found


def _stretched(size: int, start: Tensor, length: Tensor) -> Tensor:
    """Where each of `size` pixels comes from in a stretch of `length` pixels [N], float [N, size]."""
    pixel = torch.arange(size, device=start.device) + 0.5
    within = pixel * (length[:, None] / size) - 0.5
    return start[:, None] + within.clamp(min=0.0).minimum(length[:, None] - 1.0)


def _random_place(room: Tensor, draws: Draws) -> Tensor:
    """Uniform integers from 0 to `room` [N]."""
    drawn = (draws.uniform(len(room)) * (room + 1)).long()
    return drawn.minimum(room)  # the product may round up


def _tries(draws: Draws, n: int, low: float, high: float) -> Tensor:
    """Uniform between low and high, [N, _TRIES]."""
    return draws.uniform(n, _TRIES) * (high - low) + low
