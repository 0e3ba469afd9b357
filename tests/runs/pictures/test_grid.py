"""Pictures of samples."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from harness.runs.pictures.grid import grid_png, scatter_png


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_each_image_stands_in_its_place_and_small_ones_are_enlarged():
    images = torch.full((4, 1, 8, 8), -1.0)
    images[3] = 1.0
    sheet = pixels(grid_png(images, columns=2))
    assert sheet.shape == (2 * 34 + 2, 2 * 34 + 2)
    assert (sheet[2:34, 2:34] == 0).all()
    assert (sheet[36:68, 36:68] == 255).all()
    assert (sheet[:2] == 128).all()


def test_colours_and_range_are_kept():
    images = torch.zeros(1, 3, 64, 64)
    images[0, 0], images[0, 1] = 5.0, -5.0
    sheet = pixels(grid_png(images, columns=1))
    assert sheet[10, 10].tolist() == [255, 0, 128]


def test_a_row_that_is_not_full_is_left_grey():
    sheet = pixels(grid_png(torch.ones(3, 1, 32, 32), columns=2))
    assert (sheet[36:68, 36:68] == 128).all()


def test_points_are_scattered():
    png = scatter_png(torch.randn(10, 2), np.zeros((0, 2), dtype=np.float32))
    assert pixels(png).shape[:2] == (600, 600)
