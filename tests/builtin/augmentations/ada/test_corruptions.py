"""Filtering, noise and cutout against other ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from harness.builtin.augmentations.ada.corruptions import (
    LEAST,
    POWER,
    add_noise,
    band_gains,
    band_matrices,
    cut_out,
    filter_bands,
)
from harness.builtin.augmentations.ada.wavelets import filter_bank


def images(n: int = 2, height: int = 24, width: int = 30) -> torch.Tensor:
    return torch.randn(n, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_filtering_is_scipys_along_either_axis():
    gains = torch.tensor([[1.0, 0.5, 2.0, 0.1], [0.3, 1.0, 1.0, 4.0]])
    for image, row, found in zip(images().numpy(), gains.numpy(), filter_bands(images(), gains), strict=True):
        taps = row @ filter_bank()
        expected = correlate1d(correlate1d(image, taps, axis=1, mode="mirror"), taps, axis=2, mode="mirror")
        assert np.abs(found.numpy() - expected).max() < 1e-5


def test_unit_gains_leave_images_as_they_are():
    assert torch.allclose(filter_bands(images(), torch.ones(2, 4)), images(), atol=1e-6)
    assert band_matrices(25).sum(0) == pytest.approx(np.eye(25), abs=1e-12)


def test_22_pixels_are_enough_and_21_are_not():
    assert LEAST == 22
    band_matrices(22)
    with pytest.raises(ValueError, match="21 pixels"):
        band_matrices(21)


def test_one_band_amplified_keeps_the_expected_power():
    factors = torch.ones(4, 4) + 2 * torch.eye(4)
    gains = band_gains(factors)
    powers = (torch.tensor(POWER) * gains.square()).sum(1)
    assert torch.allclose(powers, torch.ones(4))
    others = gains / gains.diagonal()[:, None]
    assert torch.allclose(others, 1 / 3 + (1 - 1 / 3) * torch.eye(4))


def test_the_lowest_band_has_ten_times_the_power_of_another():
    assert sum(POWER) == pytest.approx(1.0)
    lowest, highest = band_gains(torch.tensor([[2.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 2.0]]))
    assert float(lowest[1]) == pytest.approx((43 / 13) ** -0.5)  # (10 2^2 + 1 + 1 + 1) / 13
    assert float(highest[1]) == pytest.approx((16 / 13) ** -0.5)


def test_bands_are_amplified_in_turn():
    separate = [band_gains(torch.where(torch.arange(4) == band, 2.0 + band, 1.0)[None]) for band in range(4)]
    together = band_gains(torch.tensor([[2.0, 3.0, 4.0, 5.0]]))
    assert torch.allclose(together, separate[0] * separate[1] * separate[2] * separate[3])
    assert torch.equal(band_gains(torch.ones(1, 4)), torch.ones(1, 4))


def test_noise_has_each_images_own_strength():
    pixels = torch.ones(2, 3, 2, 2)
    assert add_noise(torch.zeros(2, 3, 2, 2), torch.tensor([0.0, 0.5]), pixels)[:, 0, 0, 0].tolist() == [0.0, 0.5]


def test_the_rectangle_lies_around_its_centre_and_is_blank():
    x, y, size = (torch.tensor([value]) for value in (0.25, 0.75, 0.5))
    kept = cut_out(torch.ones(1, 1, 4, 8), x, y, size)[0, 0]
    expected = torch.ones(4, 8)
    expected[2:4, 0:4] = 0  # x from 0 to a half, y from a half to 1
    assert torch.equal(kept, expected)


def test_a_pixel_whose_centre_lies_on_the_edge_is_kept():
    x, y, size = (torch.tensor([value]) for value in (0.375, 0.5, 0.5))  # x from 1/8, the centre of the first of 4
    assert cut_out(torch.ones(1, 1, 1, 4), x, y, size).flatten().tolist() == [1.0, 0.0, 1.0, 1.0]


def test_a_rectangle_without_sides_cuts_nothing():
    half = torch.tensor([0.5, 0.5])
    assert torch.equal(cut_out(images(), half, half, torch.zeros(2)), images())
