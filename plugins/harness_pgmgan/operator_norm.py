"""Layers whose norm as an operator is held below a cap, softly: Armandpour et al. (2021), appendix C.

The weight is divided by max(1, sigma / cap), so a layer that is small enough is left alone. Sigma is the largest
singular value of the map that the layer really is: for a 3 x 3 convolution that of the convolution with zero padding on
maps of the layer's own size, which differs from the norm of the kernel seen as a matrix (Gouk et al., 2021).

Power iteration finds it from below and keeps its vector between passes. Before the first training pass the vector is
random, and sigma an underestimate; :func:`settle_norms` makes it exact without a training pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.layers import without_autocast


class Operator(NamedTuple):
    """A linear map that a weight stands for, and its transpose; both are functions of (weight, argument)."""

    apply: Callable[[Tensor, Tensor], Tensor]
    transpose: Callable[[Tensor, Tensor], Tensor]


def _convolve(weight: Tensor, x: Tensor) -> Tensor:
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


def _convolve_transposed(weight: Tensor, y: Tensor) -> Tensor:
    return F.conv_transpose2d(y, weight, padding=weight.shape[-1] // 2)


def _multiply(weight: Tensor, x: Tensor) -> Tensor:
    return torch.mv(weight.flatten(1), x)


def _multiply_transposed(weight: Tensor, y: Tensor) -> Tensor:
    return torch.mv(weight.flatten(1).t(), y)


#: weight [O, I, K, K] with K odd, on maps [1, I, H, W] to [1, O, H, W], zeros around them
CONVOLUTION = Operator(_convolve, _convolve_transposed)

#: weight [O, I] or [O, I, 1, 1], on vectors [I] to [O]
MATRIX = Operator(_multiply, _multiply_transposed)


def power_iteration(operator: Operator, weight: Tensor, v: Tensor, iterations: int) -> Tensor:
    """Bring v nearer to the first right singular vector.

    :param v: unit vector of the operator's argument's shape.
    :param iterations: multiplications with A^T A.
    :returns: a unit vector of the same shape; v itself where the operator maps it to zero.
    """
    found = v
    for _ in range(iterations):
        found = operator.transpose(weight, operator.apply(weight, found))
        found = found / found.norm()
    # 0 / 0 above, for a weight of zeros: a vector that became NaN could never recover
    return torch.where(found.isfinite().all(), found, v)


class NormCap(nn.Module):
    """Divides a weight by max(1, sigma / cap).

    :param shape: of the operator's argument.
    :param cap: above 0.
    :param iterations: of the power iteration in each forward pass while training; in eval mode there are none.
    """

    v: Tensor

    def __init__(self, operator: Operator, shape: tuple[int, ...], cap: float, iterations: int) -> None:
        super().__init__()
        self.operator = operator
        self.cap = cap
        self.iterations = iterations
        v = torch.randn(shape)
        self.register_buffer("v", v / v.norm())

    @torch.no_grad()
    def advance(self, weight: Tensor, iterations: int) -> None:
        """Iterate, and keep the vector."""
        with without_autocast(weight):
            self.v.copy_(power_iteration(self.operator, weight, self.v, iterations))

    def sigma(self, weight: Tensor) -> Tensor:
        """|A v| with v constant, a scalar that is never above the norm of A.

        Its gradient is u v^T with u = A v / |A v|, which is that of the norm itself once v is the singular vector.
        """
        # a copy, so that this pass can still be differentiated after the next one has moved the buffer
        v = self.v.clone()
        with without_autocast(weight):
            found: Tensor = torch.linalg.vector_norm(self.operator.apply(weight, v))
            return found

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, the same shape, with a norm of at most the cap."""
        if self.training:
            self.advance(weight, self.iterations)
        return weight / (self.sigma(weight) / self.cap).clamp_min(1.0)


class CappedConv(nn.Conv2d):
    """A convolution [N, inputs, H, W] to [N, outputs, H, W], zeros around the map, of norm at most `cap`.

    :param kernel: odd. A 1 x 1 kernel acts on each pixel alone, so its norm is that of its matrix.
    :param size: (H, W) of its maps, on which the norm depends a little.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, size: tuple[int, int], *, cap: float, iterations: int
    ) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        operator, shape = (MATRIX, (inputs,)) if kernel == 1 else (CONVOLUTION, (1, inputs, *size))
        self.limit = NormCap(operator, shape, cap, iterations)

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self.limit(self.weight), self.bias, padding=self.padding)


class CappedLinear(nn.Linear):
    """A linear map [N, inputs] to [N, outputs] of norm at most `cap`."""

    def __init__(self, inputs: int, outputs: int, *, cap: float, iterations: int) -> None:
        super().__init__(inputs, outputs)
        self.limit = NormCap(MATRIX, (inputs,), cap, iterations)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.limit(self.weight), self.bias)


def settle_norms(network: nn.Module, iterations: int = 300) -> None:
    """Iterate in every capped layer of a network, so that the cap holds for its weights as they are now.

    To a few parts in a thousand: where the two largest singular values are as near each other, iterating tells them
    apart no further.
    """
    for module in network.modules():
        if isinstance(module, CappedConv | CappedLinear):
            module.limit.advance(module.weight, iterations)
