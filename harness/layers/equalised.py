"""Layers with an equalised learning rate: weights of unit size, scaled as they are used (Karras et al., 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EqualLinear(nn.Module):
    """A linear map [N, inputs] to [N, outputs] with the weight ``gain * lr_multiplier / sqrt(inputs) * weight``.

    :param gain: of what comes out at the start.
    :param lr_multiplier: how much slower than others it learns: weight and bias are stored larger by its inverse.
    :param bias_start: of the bias, as it is used.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        gain: float = 1.0,
        lr_multiplier: float = 1.0,
        bias_start: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias_start / lr_multiplier)) if bias else None
        self.scale = gain * lr_multiplier / inputs**0.5
        self.lr_multiplier = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] to [N, outputs]."""
        bias = None if self.bias is None else self.bias * self.lr_multiplier
        return F.linear(x, self.weight * self.scale, bias)


class EqualConv(nn.Module):
    """A convolution that keeps the resolution, with the weight ``gain / sqrt(inputs * kernel^2) * weight``.

    :param kernel: pixels a side, odd.
    :param gain: of what comes out at the start.
    :ivar bias: [outputs], not scaled; None without.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"only a kernel with a middle keeps the resolution, not {kernel} x {kernel}")
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / (inputs * kernel**2) ** 0.5

    def scaled(self) -> Tensor:
        """The weight as it is used, [outputs, inputs, kernel, kernel]."""
        scaled: Tensor = self.weight * self.scale
        return scaled

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H, W]."""
        return F.conv2d(x, self.scaled(), self.bias, padding=self.weight.shape[-1] // 2)
