"""The block that stands after a block of the discriminator: it mixes features with their codes, Eq. (3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness import Adapted
from harness.contracts import Noise
from harness_lcsa.coders import Coder, code_perplexity, dead_share, decode, local_soft_assignment
from harness_lcsa.config import LCSASettings
from harness_lcsa.controller import Controller
from harness_lcsa.dictionary import dictionary_gradient, initial_atoms


class Coding(NamedTuple):
    """What a block notes of one pass; only `proximity` is part of the graph.

    :ivar features: x, [N', c].
    :ivar codes: a, [N', k].
    :ivar coded: h(x), [N', c].
    :ivar proximity: |x - h(x)|^2 by the chosen reduction, a scalar.
    """

    features: Tensor
    codes: Tensor
    coded: Tensor
    proximity: Tensor

    def dictionary_gradient(self) -> Tensor:
        """Gradient of the reconstruction error in the dictionary [k, c], features and codes held."""
        return dictionary_gradient(self.features - self.coded, self.codes)

    def diagnostics(self) -> dict[str, Tensor]:
        """How the dictionary is used, scalars by name."""
        return {"perplexity": code_perplexity(self.codes), "dead_atoms": dead_share(self.codes)}


def joined(parts: Sequence[Coding], mean: bool) -> Coding:
    """What one pass over all of it would have noted; parts are of one size.

    :param mean: whether proximity is a mean, or else a sum.
    """
    if len(parts) == 1:
        return parts[0]
    features, codes, coded = (torch.cat(rows) for rows in list(zip(*parts, strict=True))[:3])
    near = torch.stack([part.proximity for part in parts])
    return Coding(features, codes, coded, near.mean() if mean else near.sum())


class LCSABlock(nn.Module):
    """One dictionary and the mixing step. The dictionary is the block's only parameter.

    :param width: c, channels of the features.
    :param controller: where beta is read from at every pass.
    :param full_precision: context in which float32 is float32.
    """

    def __init__(
        self,
        width: int,
        settings: LCSASettings,
        controller: Controller,
        full_precision: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        super().__init__()
        coder = settings.coder
        self.dictionary = nn.Parameter(initial_atoms(coder.atoms, width))
        self._coder: Coder = partial(local_soft_assignment, sigma=coder.sigma, neighbours=coder.neighbours)
        self._controller = controller
        self._full_precision = full_precision
        self._convex = settings.mix == "convex"
        self._reduction = settings.proximity.reduction
        self._stop_gradient = settings.proximity.stop_gradient

    def forward(self, features: Tensor, noise: Noise | None = None) -> Adapted:
        """Features [N, c, H, W] or [N, c] in, the mixed features out, with a :class:`Coding` as note.

        The dictionary takes part as a constant: neither the discriminator's loss nor the proximity term moves it.
        """
        with self._full_precision():
            wide = features.float()
            x = as_rows(wide)  # [N', c]
            m = self.dictionary.detach()  # [k, c]
            codes = self._coder(x, m)  # [N', k]
            h = decode(codes, m)  # [N', c]
            target = h.detach() if self._stop_gradient else h
            proximity = F.mse_loss(x, target, reduction=self._reduction)  # Eq. (4)
            mixed = self._mixed(wide, as_map(h, wide.shape))
        return Adapted(mixed.to(features.dtype), Coding(x.detach(), codes.detach(), h.detach(), proximity))

    def _mixed(self, x: Tensor, h: Tensor) -> Tensor:
        beta = self._controller.beta
        if self._convex:
            return torch.lerp(x, h, beta)  # Eq. (3): (1 - beta) x + beta h, and x itself, to the bit, at beta = 0
        return torch.addcmul(x, beta, h)


def as_rows(features: Tensor) -> Tensor:
    """Every position of [N, c, H, W] (or [N, c]) as a row: [N H W, c]."""
    return features if features.ndim == 2 else features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def as_map(rows: Tensor, shape: torch.Size) -> Tensor:
    """Rows [N H W, c] as a map of `shape` [N, c, H, W] again (or [N, c])."""
    if len(shape) == 2:
        return rows
    n, c, height, width = shape
    return rows.view(n, height, width, c).permute(0, 3, 1, 2)
