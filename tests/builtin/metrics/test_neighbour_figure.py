from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from harness.builtin.metrics.neighbour_figure import GAP, SIDE, WIDE_GAP, neighbour_figure


def pixels(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image)


@pytest.mark.parametrize("channels", [1, 3])
def test_each_row_is_a_sample_and_its_neighbours_in_their_order(channels: int) -> None:
    samples = torch.full((2, channels, SIDE, SIDE), 10, dtype=torch.uint8)
    samples[1] = 20
    neighbours = torch.arange(6, dtype=torch.uint8).reshape(2, 3, 1, 1, 1).expand(2, 3, channels, SIDE, SIDE)
    shown = pixels(neighbour_figure(samples, neighbours))
    assert shown.shape[:2] == (2 * SIDE + GAP, 4 * SIDE + WIDE_GAP + 2 * GAP)
    assert shown.ndim == (2 if channels == 1 else 3)
    starts = [0, SIDE + WIDE_GAP, 2 * SIDE + WIDE_GAP + GAP, 3 * SIDE + WIDE_GAP + 2 * GAP]
    for row, values in enumerate([[10, 0, 1, 2], [20, 3, 4, 5]]):
        top = row * (SIDE + GAP)
        for start, value in zip(starts, values, strict=True):
            assert (shown[top : top + SIDE, start : start + SIDE] == value).all()
    assert (shown[:, SIDE : SIDE + WIDE_GAP] == 255).all()
    assert (shown[SIDE : SIDE + GAP] == 255).all()


def test_small_images_are_enlarged_by_whole_pixels() -> None:
    sample = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    shown = pixels(neighbour_figure(sample, sample[:, None]))
    enlarged = sample[0, 0].numpy().repeat(4, 0).repeat(4, 1)
    np.testing.assert_array_equal(shown[:, :32], enlarged)
    np.testing.assert_array_equal(shown[:, -32:], enlarged)


def test_colours_stay_what_they_are() -> None:
    red = torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    red[:, 0] = 200
    assert pixels(neighbour_figure(red, red[:, None]))[0, 0].tolist() == [200, 0, 0]
