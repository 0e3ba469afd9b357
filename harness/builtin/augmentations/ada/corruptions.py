"""What damages images: gains of bands of frequencies, noise, and a blank rectangle."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.wavelets import Floats, filter_bank, mirrored
from harness.contracts import upload

#: how many bands of frequencies there are
BANDS = 4
#: the power that natural images are taken to have in each band (their spectrum falls as 1 / f), of a sum of 1
POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)
#: fewest pixels a side that can be mirrored far enough for the filters
LEAST = filter_bank().shape[1] // 2 + 1


def band_matrices(size: int) -> Floats:
    """What each filter of the bank does to a row mirrored at its end pixels; [4, size, size]."""
    bank = filter_bank()
    source = mirrored(size, bank.shape[1] // 2)
    matrices = np.zeros((BANDS, size, size))
    for pixel in range(size):
        for tap in range(bank.shape[1]):
            matrices[:, pixel, source[pixel + tap]] += bank[:, tap]
    return matrices


@lru_cache(maxsize=32)
def _bands(size: int, device: torch.device) -> Tensor:
    return upload(torch.from_numpy(band_matrices(size)).float(), device)


def band_gains(factors: Tensor) -> Tensor:
    """Gains of the bands after each band in turn is multiplied by its factor and the expected power is made 1 again.

    Karras et al. (2020), appendix B; positive factors [N, 4] to gains [N, 4].
    """
    gains = torch.ones_like(factors)
    for band, expected in enumerate(POWER):
        factor = factors[:, band : band + 1]
        # with t = factor in this band and 1 in the others, the root of sum_b power_b t_b^2
        scale = (expected * factor.square() + (1 - expected)).sqrt()
        gains = gains / scale
        gains[:, band : band + 1] *= factor
    return gains


def filter_bands(images: Tensor, gains: Tensor) -> Tensor:
    """Bands of frequencies amplified, along either axis in turn; [N, C, H, W] and [N, 4] to [N, C, H, W].

    :raises ValueError: for images of fewer than `LEAST` pixels a side.
    """
    rows, columns = (torch.tensordot(gains, _bands(size, images.device), 1)[:, None] for size in images.shape[2:])
    filtered: Tensor = rows @ images @ columns.mT
    return filtered


def add_noise(images: Tensor, sigma: Tensor, pixels: Tensor) -> Tensor:
    """Adds standard normal `pixels` [N, C, H, W] times `sigma` [N]."""
    return images + sigma[:, None, None, None] * pixels


def cut_out(images: Tensor, x: Tensor, y: Tensor, size: Tensor) -> Tensor:
    """Sets a rectangle to 0; [N, C, H, W] and [N] each to [N, C, H, W].

    :param x: the centre as a share of the width (`y`: of the height); what lies outside the image is cut off.
    :param size: sides as shares of the image's; 0 cuts nothing.
    """
    height, width = images.shape[2:]
    half = size[:, None] / 2
    far_x, far_y = (
        ((torch.arange(count, device=images.device) + 0.5) / count - centre[:, None]).abs() >= half  # [N, count]
        for centre, count in ((x, width), (y, height))
    )
    return images * (far_y[:, None, :, None] | far_x[:, None, None, :])
