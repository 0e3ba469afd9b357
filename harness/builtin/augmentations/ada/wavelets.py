"""Constant wavelet filters that resample images and divide them into bands of frequencies.

Filters are numpy float64; nothing here is random or learned.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: the decomposition low-pass filter of Daubechies' least asymmetric wavelet with 6 vanishing moments ("sym6"), as in
#: the tables of PyWavelets; its sum is sqrt(2)
SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)


def sym6() -> Floats:
    """The low-pass filter that images are resampled with, [12]; its sum is 1."""
    taps: Floats = np.array(SYM6)
    taps /= taps.sum()
    return taps


def sym2() -> Floats:
    """Daubechies' low-pass filter with 2 vanishing moments, [4], in closed form; its sum is sqrt(2)."""
    root = np.sqrt(3.0)
    taps: Floats = np.array([1 - root, 3 - root, 3 + root, 1 + root]) / np.sqrt(32.0)
    return taps


@cache
def filter_bank() -> Floats:
    """Four symmetric filters [4, 43] that divide frequencies into octaves, lowest first; they add up to a unit impulse.

    Karras et al. (2020), appendix B, "image-space filtering": the squared magnitudes of sym2's pair of filters, which
    add up to 1, divide the frequencies in two; the lower half is divided again, twice, by the same filters at half the
    rate.
    """
    low = sym2()
    high = low * (-1.0) ** np.arange(len(low))
    below, above = (np.convolve(taps, taps[::-1]) / 2 for taps in (low, high))  # [7] each: |H|^2 and its complement
    bands = [np.ones(1)]
    for _ in range(3):
        halved = [np.convolve(_between_zeros(taps), below) for taps in bands]
        margin = (len(halved[0]) - len(above)) // 2
        bands = [*halved, np.pad(above, margin)]
    return np.stack(bands)


def _between_zeros(taps: Floats) -> Floats:
    """A filter for half the rate: a zero between every two taps, [L] to [2 L - 1]."""
    spread = np.zeros(2 * len(taps) - 1)
    spread[::2] = taps
    return spread


def mirrored(size: int, margin: int) -> NDArray[np.intp]:
    """Which of `size` pixels stands at each place of a row extended by mirroring at both end pixels.

    :param margin: places added on each side, fewer than `size`.
    :returns: [size + 2 margin] numbers below `size`; the end pixels are not repeated.
    """
    if margin >= size:
        raise ValueError(f"a row of {size} pixels can be mirrored by at most {size - 1}, not {margin}")
    inner = np.abs(np.arange(-margin, size + margin))
    pixels: NDArray[np.intp] = (size - 1) - np.abs((size - 1) - inner)
    return pixels
