"""Values between pixels, differentiable any number of times in the pixels.

torch's own sampling remembers the image that it reads, which here is 36 times the augmented one, and has no second
derivative in all versions and on all devices. Places are constants here, so sampling is linear in the image: its
gradient is the transposed map, and the gradient of that is sampling again.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _Read(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape[2:]
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(gradients[0], grid, ctx.size), None


class _Spread(torch.autograd.Function):
    """The transpose: adds each value to the four pixels that it would be read from."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        # of the image only the shape matters, because the gradient of the grid is not asked for
        like = values.new_zeros(()).expand(*values.shape[:2], *size)
        bilinear, zeros, aligned = 0, 0, False
        spread: Tensor
        spread, _ = torch.ops.aten.grid_sampler_2d_backward(
            values.contiguous(), like, grid, bilinear, zeros, aligned, [True, False]
        )
        return spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Read.apply(gradients[0], grid), None, None


def read(images: Tensor, grid: Tensor) -> Tensor:
    """Values of images at places, bilinear, 0 outside; [N, C, H, W] and [N, h, w, 2] to [N, C, h, w].

    :param grid: (x, y) from -1 to 1 between the outer edges of the border pixels; a constant, no gradient reaches it.
    """
    values: Tensor = _Read.apply(images, grid)
    return values
