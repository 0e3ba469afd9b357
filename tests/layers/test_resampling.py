"""Filtered resampling: numbers of the public code, slow loops, and what each way of it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.layers import BINOMIAL, blurred, downsampled, resampled, taps_of, upsampled


def loops(maps: Tensor, taps: Tensor) -> Tensor:
    """The convolution of maps with taps, nothing around them, pixel by pixel."""
    height, width = (maps.shape[2] - taps.shape[0] + 1, maps.shape[3] - taps.shape[1] + 1)
    found = torch.zeros(*maps.shape[:2], height, width)
    for i in range(height):
        for j in range(width):
            for a in range(taps.shape[0]):
                for b in range(taps.shape[1]):
                    found[..., i, j] += taps[-1 - a, -1 - b] * maps[..., i + a, j + b]
    return found


def test_a_convolution_is_that_of_slow_loops() -> None:
    maps, taps = torch.randn(2, 3, 5, 6), torch.randn(2, 3)
    torch.testing.assert_close(resampled(maps, taps), loops(maps, taps))
    torch.testing.assert_close(resampled(maps, taps, flip=True), loops(maps, taps.flip(0, 1)))


def test_everything_is_as_in_the_public_code(parity: Path) -> None:
    numbers = {key: torch.from_numpy(value) for key, value in np.load(parity / "ops.npz").items()}
    x, compared = numbers["x"], 0
    for key, args in numbers.items():
        if ":args_" not in key:
            continue
        name = key.split(":args_")[0]
        upx, upy, downx, downy, left, right, top, bottom, flip, gain = args.tolist()
        found = resampled(
            x,
            square(numbers[f"filter:{name.split(':')[2]}"]),
            up=(int(upx), int(upy)),
            down=(int(downx), int(downy)),
            pad=(int(left), int(right), int(top), int(bottom)),
            flip=bool(flip),
            gain=gain,
        )
        assert_near(found, numbers[f"{name}:out"])
        compared += 1
    assert compared == 25
    for taps in ("sym4", "asym5", "sep12"):
        kept = square(numbers[f"filter:{taps}"])
        assert_near(upsampled(x, kept), numbers[f"upsample2d:{taps}"])
        assert_near(downsampled(x, kept), numbers[f"downsample2d:{taps}"])
        assert_near(blurred(x, kept), numbers[f"filter2d:{taps}"])


def square(taps: Tensor) -> Tensor:
    return taps if taps.ndim == 2 else torch.outer(taps, taps)


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) < 2e-5 * float(expected.abs().max())


def test_taps_sum_to_one_and_a_row_stands_for_both_directions() -> None:
    taps = taps_of(BINOMIAL)
    torch.testing.assert_close(taps, torch.outer(torch.tensor(BINOMIAL), torch.tensor(BINOMIAL)) / 64)
    assert float(taps_of([[1.0, 2.0], [3.0, 4.0]]).sum()) == pytest.approx(1.0)


def test_a_constant_map_stays_so_away_from_its_edge() -> None:
    maps, taps = torch.ones(1, 2, 8, 8), taps_of(BINOMIAL)
    for found, side in ((blurred(maps, taps), 8), (upsampled(maps, taps), 16), (downsampled(maps, taps), 4)):
        assert found.shape == (1, 2, side, side)
        torch.testing.assert_close(found[..., 2:-2, 2:-2], torch.ones_like(found[..., 2:-2, 2:-2]))
