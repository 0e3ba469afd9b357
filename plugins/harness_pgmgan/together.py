"""What several devices must agree on beside the gradients and batch norms, which the harness shares for them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from harness_pgmgan.invertible import ActNorm

Mean = Callable[[Tensor], Tensor]


def set_up_together(module: nn.Module, mean: Mean) -> None:
    """Have every ActNorm take the first batches of all devices; with its own alone each would start elsewhere.

    :param mean: the mean of a tensor over devices.
    """
    for layer in module.modules():
        if isinstance(layer, ActNorm):
            layer.over_devices = mean
