"""Batch norms that normalise over the batch of all devices, so that several compute what one does."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

_BatchNorm = nn.modules.batchnorm._BatchNorm


def share_batch_norms(network: nn.Module, gather: Callable[[Tensor], Tensor], active: Callable[[], bool]) -> None:
    """Have every batch norm of a network take its statistics from the rows of all devices.

    :param gather: rows of all devices, with gradients to all of them; devices hold equally many rows.
    :param active: whether all devices are in one training step; outside of it each is by itself, as it is when only one
        of them samples.
    """

    def forward(self: Any, x: Tensor) -> Tensor:
        if not (self.training and active()):
            plain: Tensor = type(self).forward(self, x)
            return plain
        return _normalised(self, x, gather)

    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.forward = MethodType(forward, module)  # type: ignore[method-assign]


def _normalised(norm: _BatchNorm, x: Tensor, gather: Callable[[Tensor], Tensor]) -> Tensor:
    """Features [N, C, ...] over the mean and variance of all devices' features, in float32."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    column = [1, -1, *[1] * (x.dim() - 2)]
    wide = x.float()
    world_mean = gather(wide.mean(axes)[None]).mean(0)  # [C]
    away = wide - world_mean.view(column)
    spread = gather(away.square().mean(axes)[None])
    variance = spread.mean(0)
    if norm.track_running_stats:
        _remember(norm, world_mean.detach(), variance.detach(), len(spread) * x.numel() // x.shape[1])
    normal = away * (variance + norm.eps).rsqrt().view(column)
    if norm.affine:
        normal = normal * norm.weight.view(column) + norm.bias.view(column)
    return normal.to(x.dtype)


@torch.no_grad()
def _remember(norm: _BatchNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    """Running statistics as torch keeps them: the variance without bias, a plain average where momentum is None."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    share: Any = norm.momentum if norm.momentum is not None else 1.0 / norm.num_batches_tracked
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance * (count / max(count - 1, 1)), share)
