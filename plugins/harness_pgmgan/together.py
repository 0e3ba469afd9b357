"""What several devices must agree on beside the gradients, which the harness averages for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
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


@torch.no_grad()
def share_statistics(module: nn.Module, mean: Mean) -> None:
    """Give every device the mean of the running statistics that batch norms gathered, each from its own batches.

    Without it devices would tell partitions apart by networks that differ.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            for statistic in (layer.running_mean, layer.running_var):
                if statistic is not None:
                    statistic.copy_(mean(statistic))
