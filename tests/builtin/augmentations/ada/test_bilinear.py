"""Reading between pixels, and its derivatives."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from harness.builtin.augmentations.ada.bilinear import read

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randn(2, 3, 5, 7, generator=GENERATOR, dtype=torch.float64)
GRID = 2.4 * torch.rand(2, 4, 6, 2, generator=GENERATOR, dtype=torch.float64) - 1.2  # some of it outside


def test_values_are_torchs_own():
    assert torch.equal(read(IMAGES, GRID), F.grid_sample(IMAGES, GRID, align_corners=False))


def test_a_place_between_four_pixels_is_their_mean_and_outside_is_nought():
    image = torch.tensor([[[[1.0, 2.0], [4.0, 9.0]]]])
    places = torch.tensor([[[[0.0, 0.0], [-0.5, -0.5], [0.5, -0.5], [3.0, 0.0]]]])  # (x, y)
    assert read(image, places).flatten().tolist() == [4.0, 1.0, 2.0, 0.0]


def test_gradients_of_both_orders_are_those_of_differences():
    images = IMAGES.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: read(x, GRID), images)
    assert torch.autograd.gradgradcheck(lambda x: read(x, GRID).square(), images)
