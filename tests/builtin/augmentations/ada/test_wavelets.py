"""The constant filters, against what defines them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.builtin.augmentations.ada.wavelets import SYM6, filter_bank, mirrored, sym2, sym6


@pytest.mark.parametrize(("taps", "moments"), [(np.array(SYM6), 6), (sym2(), 2)])
def test_a_wavelet_is_orthonormal_and_its_high_pass_kills_polynomials(taps, moments):
    places = np.arange(len(taps))
    assert taps.sum() == pytest.approx(np.sqrt(2), abs=1e-10)
    overlaps = [np.dot(taps[: len(taps) - lag], taps[lag:]) for lag in range(0, len(taps), 2)]
    assert overlaps == pytest.approx([1.0] + [0.0] * (len(overlaps) - 1), abs=1e-10)
    alternating = taps * (-1.0) ** places
    sums = [(alternating * ((places - places.mean()) / 6.0) ** power).sum() for power in range(moments + 1)]
    assert sums[:moments] == pytest.approx([0.0] * moments, abs=1e-8)
    assert abs(sums[moments]) > 1e-4


def test_the_resampling_filter_has_unit_sum():
    assert sym6().sum() == pytest.approx(1.0)
    assert sym6() * np.sqrt(2) == pytest.approx(np.array(SYM6))


def test_the_bands_are_symmetric_and_add_up_to_the_identity():
    bank = filter_bank()
    assert bank.shape == (4, 43)
    assert bank == pytest.approx(bank[:, ::-1], abs=1e-12)
    assert bank.sum(0) == pytest.approx((np.arange(43) == 21).astype(float), abs=1e-12)


def test_each_band_passes_its_own_octave():
    frequencies = np.arange(1, 513) / 1024  # cycles a pixel
    places = np.arange(43) - 21
    responses = filter_bank() @ np.cos(2 * np.pi * np.outer(places, frequencies))
    assert responses.min() > -1e-12
    octave = np.floor(np.log2(frequencies / 2**-5)).clip(0, 3).astype(int)  # 0 is all that lies below 1/16
    inside = np.abs(np.log2(frequencies) % 1 - 0.6) < 0.3  # near its edges two bands share an octave
    assert (responses.argmax(0) == octave)[inside].all()
    assert responses[0, 0] > 0.999  # the lowest band keeps what is nearly constant
    assert responses[3, -1] == pytest.approx(1.0)  # the highest, what alternates


def test_the_filters_are_those_of_the_public_code(parity):
    with np.load(parity / "aug_debug_32.npz") as stored:
        assert sym6() == pytest.approx(stored["Hz_geom"], abs=1e-7)
        assert filter_bank() == pytest.approx(stored["Hz_fbank"], abs=1e-7)


@pytest.mark.parametrize(("size", "margin"), [(5, 4), (5, 2), (2, 1), (1, 0)])
def test_mirroring_is_numpys_reflection(size, margin):
    assert mirrored(size, margin).tolist() == np.pad(np.arange(size), margin, mode="reflect").tolist()


def test_a_row_is_not_mirrored_twice():
    with pytest.raises(ValueError, match="5 pixels can be mirrored by at most 4, not 5"):
        mirrored(5, 5)
