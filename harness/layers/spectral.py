"""Layers whose weight is divided by an estimate of its largest singular value (Miyato et al., 2018).

One step of power iteration each forward pass while training. The right singular vector is not kept, since it follows
from the left one. With `eps` None a layer is the ordinary one. A layer takes its own step, unless its network takes
all of them together: :func:`harness.layers.spectral_norms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.devices import without_autocast
from harness.layers.conditions import embed


def fast_layout(maps: Tensor) -> Tensor:
    """Maps [N, C, H, W] with channels last in memory where convolutions are faster so: on CPUs, and under autocast.

    The values are the same. Convolutions, batch norms and what stands between them keep the layout.
    """
    device = maps.device.type
    if device == "cpu" or (torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)):
        return maps.contiguous(memory_format=torch.channels_last)
    return maps


@dataclass
class Given:
    """What a network worked out for one layer, for the pass under way.

    :ivar weight: the layer's, which all of this is about.
    :ivar quotient: W / sigma(W), None where a layer divides the few rows that it uses.
    :ivar sigma: sigma(W), [].
    :ivar u: the left singular vector after the step, [rows].
    :ivar taken: whether the layer was called.
    """

    weight: Tensor
    quotient: Tensor | None
    sigma: Tensor
    u: Tensor
    taken: bool = False


class SpectralNorm(nn.Module):
    """Divides a weight, seen as a matrix [rows, columns], by its spectral norm.

    :param rows: the weight's first dimension.
    :param eps: smallest norm that a vector of the power iteration is divided by.
    :ivar whole: whether the layer uses all of W / sigma(W); otherwise it asks for sigma alone.
    :ivar given: what the network worked out for the pass under way, if it does.
    """

    u: Tensor

    def __init__(self, rows: int, eps: float, *, whole: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.whole = whole
        self.given: Given | None = None
        self.register_buffer("u", self._unit(torch.randn(rows)))

    def _unit(self, vector: Tensor) -> Tensor:
        found: Tensor = vector / vector.norm().clamp_min(self.eps)
        return found

    def sigma(self, weight: Tensor) -> Tensor:
        """u^T W v with u and v constant, Miyato et al. (2018), appendix A; weight [rows, ...] to [].

        In eval mode the same step is taken, but not kept.
        """
        given = self._taken(weight)
        if given is not None:
            return given.sigma
        with without_autocast(weight):
            matrix = weight.flatten(1)  # [rows, columns]
            with torch.no_grad():
                v = self._unit(torch.mv(matrix.t(), self.u))  # [columns]
            wv = torch.mv(matrix, v)  # [rows]
            with torch.no_grad():
                u = self._unit(wv)
                if self.training:
                    self.u.copy_(u)  # the graph holds `u`, so that an earlier pass can still be differentiated
            return torch.dot(u, wv)

    def forward(self, weight: Tensor) -> Tensor:
        """W / sigma(W), the same shape."""
        given = self._taken(weight)
        if given is not None and given.quotient is not None:
            return given.quotient
        return weight / self.sigma(weight)

    def _taken(self, weight: Tensor) -> Given | None:
        if self.given is None or self.given.weight is not weight:
            return None
        self.given.taken = True
        return self.given


def _normaliser(rows: int, eps: float | None) -> nn.Module:
    return nn.Identity() if eps is None else SpectralNorm(rows, eps)


class Linear(nn.Linear):
    """A linear map [N, F] to [N, G], spectrally normalised where `eps` is given."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, eps: float | None = None) -> None:
        super().__init__(inputs, outputs, bias=bias)
        self.normalise = _normaliser(outputs, eps)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.normalise(self.weight), self.bias)


class Embedding(nn.Embedding):
    """Rows of a table for conditions, [N, F] (:func:`embed`), spectrally normalised where `eps` is given."""

    def __init__(self, rows: int, width: int, *, eps: float | None = None) -> None:
        super().__init__(rows, width)
        self.normalise = None if eps is None else SpectralNorm(rows, eps, whole=False)

    def forward(self, input: Tensor) -> Tensor:
        chosen = embed(self.weight, input)  # [N, F]
        # the few rows in use are divided, not all of the matrix
        return chosen if self.normalise is None else chosen / self.normalise.sigma(self.weight)


class Rows(nn.Module):
    """As many linear maps to one number as there are conditions, spectrally normalised as one matrix.

    :param inputs: size of the features that they are linear in.
    :param conditions: how many maps; the weight is [conditions, inputs], the bias [conditions].
    """

    def __init__(self, inputs: int, conditions: int, *, eps: float | None = None) -> None:
        super().__init__()
        self.linear = Linear(inputs, conditions, eps=eps)
        if isinstance(self.linear.normalise, SpectralNorm):
            self.linear.normalise.whole = False

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Features [N, inputs] and conditions y to W[y] . f + b[y], [N]; of several labels, their sum."""
        # the few rows in use are looked up and divided, so that the cost does not grow with the conditions
        answer = (embed(self.linear.weight, condition) * features).sum(1)
        if isinstance(self.linear.normalise, SpectralNorm):
            answer = answer / self.linear.normalise.sigma(self.linear.weight)
        return answer + embed(self.linear.bias[:, None], condition).squeeze(1)


class Conv(nn.Conv2d):
    """A convolution that keeps the resolution, spectrally normalised where `eps` is given.

    :param resample: "down" averages 2 x 2 pixels of its result, "up" doubles the pixels of its input first. Either is
        done by one strided convolution with a 4 x 4 kernel, which gives the same numbers up to rounding with 4/9 of
        the multiplications. Only for kernels of 3 x 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Literal[1, 3],
        *,
        resample: Literal["none", "down", "up"] = "none",
        bias: bool = True,
        eps: float | None = None,
    ) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        if resample != "none" and kernel != 3:
            raise ValueError("only a 3 x 3 kernel can be merged with resampling")
        self.resample = resample
        self.normalise = _normaliser(outputs, eps)

    def forward(self, input: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H, W], or half or twice H and W."""
        weight = self.normalise(self.weight)
        if self.resample == "down":
            # the mean of 2 x 2 results, each a sum over 3 x 3 pixels, is a sum over 4 x 4 pixels
            return F.conv2d(input, _spread(weight * 0.25), self.bias, stride=2, padding=1)
        if self.resample == "up":
            # each pixel of the input stands for 2 x 2 equal ones, so it adds to 4 x 4 pixels of the result
            weight = _spread(weight.flip(2, 3)).transpose(0, 1)
            return F.conv_transpose2d(input, weight, self.bias, stride=2, padding=1)
        return F.conv2d(input, weight, self.bias, padding=self.padding)


def _spread(kernel: Tensor) -> Tensor:
    """The full convolution of a kernel with 2 x 2 ones; [O, I, 3, 3] to [O, I, 4, 4]."""
    k = F.pad(kernel, (1, 1, 1, 1))  # [O, I, 5, 5]
    return k[..., 1:, 1:] + k[..., :-1, 1:] + k[..., 1:, :-1] + k[..., :-1, :-1]
