"""Structural similarity of two images (Wang et al. 2004, eq. 13), as a pure function of batches.

    SSIM(x, y) = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2))

with means, variances and covariance under a Gaussian window about each position, C1 = (K1 L)^2 and C2 = (K2 L)^2 for
images with values over a range of L. It is averaged over positions whose window lies inside the image, and over
channels. B: images, C: channels, H x W: pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from harness.errors import EvaluationError

#: pixels a side of the window, and its spread
WINDOW = 11
SIGMA = 1.5

#: constants that keep the quotient from 0 / 0
K1 = 0.01
K2 = 0.03


def structural_similarity(a: Tensor, b: Tensor, value_range: float) -> Tensor:
    """Images [B, C, H, W] and [B, C, H, W] to their similarity [B] in float64, from -1 to 1; 1 for equal images.

    Variances divide by the number of pixels, as the paper's do.

    :param value_range: L, the distance of the largest possible value from the smallest.
    :raises EvaluationError: where images are smaller than the window.
    """
    if min(a.shape[-2:]) < WINDOW:
        raise EvaluationError(f"the window of SSIM has {WINDOW} pixels a side, images of {_size(a)} are smaller")
    x, y = a.double().flatten(0, 1)[:, None], b.double().flatten(0, 1)[:, None]  # [B * C, 1, H, W]
    mean_x, mean_y = windowed(x), windowed(y)
    var_x = windowed(x * x) - mean_x.square()
    var_y = windowed(y * y) - mean_y.square()
    covariance = windowed(x * y) - mean_x * mean_y
    c1, c2 = (K1 * value_range) ** 2, (K2 * value_range) ** 2
    means = (2.0 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    spreads = (2.0 * covariance + c2) / (var_x + var_y + c2)
    return (means * spreads).reshape(len(a), -1).mean(1)


def windowed(images: Tensor) -> Tensor:
    """Gaussian-weighted mean about each position whose window fits: [n, 1, H, W] to [n, 1, H - 10, W - 10]."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    weights = torch.exp(-offsets.square() / (2.0 * SIGMA**2))
    weights = weights / weights.sum()
    return conv2d(conv2d(images, weights[None, None, :, None]), weights[None, None, None, :])


def _size(images: Tensor) -> str:
    return "x".join(map(str, images.shape[-2:]))
