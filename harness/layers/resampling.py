"""Filtered resampling of maps by zero insertion, padding, a finite impulse response and decimation, and what is usual.

As the operation that the public StyleGAN code calls upfirdn2d. Taps are a row [T] for a separable filter, or [T, S].
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: the taps that StyleGAN2 and its descendants blur with
BINOMIAL = (1.0, 3.0, 3.0, 1.0)

Padding = tuple[int, int, int, int]


def taps_of(taps: Sequence[float] | Tensor, *, device: torch.device | None = None) -> Tensor:
    """Taps [T] or [T, S] as a filter [T, T] or [T, S], float32, that sums to 1."""
    given = torch.as_tensor(taps, dtype=torch.float32, device=device)
    square = given if given.ndim == 2 else torch.outer(given, given)
    return square / square.sum()


def resampled(
    maps: Tensor,
    taps: Tensor,
    *,
    up: tuple[int, int] = (1, 1),
    down: tuple[int, int] = (1, 1),
    pad: Padding = (0, 0, 0, 0),
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Maps [N, C, H, W] with zeros inserted, padded, convolved with the taps, and every so-many-th pixel kept.

    :param taps: [T, S], not normalised here.
    :param up, down: factors along (x, y).
    :param pad: zeros to the left, right, top and bottom of what was up-sampled; negative ones cut off.
    :param flip: correlate instead, which differs for taps that are not symmetric.
    :param gain: multiplies the result.
    """
    n, channels, height, width = maps.shape
    spread = maps
    if up != (1, 1):
        spread = maps.reshape(n, channels, height, 1, width, 1)
        spread = F.pad(spread, (0, up[0] - 1, 0, 0, 0, up[1] - 1)).reshape(n, channels, height * up[1], width * up[0])
    padded = F.pad(spread, pad)
    kernel = (taps if flip else taps.flip(0, 1)) * gain
    weight = kernel.to(maps.dtype).expand(channels, 1, *kernel.shape)
    return F.conv2d(padded, weight, stride=(down[1], down[0]), groups=channels)


def blurred(maps: Tensor, taps: Tensor) -> Tensor:
    """Filtered maps of the same size; where the taps are even, one zero more stands before than behind."""
    return downsampled(maps, taps, 1)


def upsampled(maps: Tensor, taps: Tensor, factor: int = 2) -> Tensor:
    """Maps [N, C, factor H, factor W]: zeros between the pixels, filtered, as bright as before."""
    return resampled(maps, taps, up=(factor, factor), pad=_around(taps, factor - 1, factor), gain=factor**2)


def downsampled(maps: Tensor, taps: Tensor, factor: int = 2) -> Tensor:
    """Maps [N, C, H / factor, W / factor]: filtered, then every factor-th pixel."""
    return resampled(maps, taps, down=(factor, factor), pad=_around(taps, 1 - factor, factor))


def _around(taps: Tensor, more: int, factor: int) -> Padding:
    """Half of the taps before, `more` of them counted along, and half behind, where `factor` pixels become one."""
    height, width = taps.shape
    return ((width + more) // 2, (width - factor) // 2, (height + more) // 2, (height - factor) // 2)
