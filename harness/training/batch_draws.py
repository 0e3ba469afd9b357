"""Draws of a training step from torch's global generator, which the loop seeds alike on every device."""

from __future__ import annotations

import torch
from torch import Tensor


class BatchDraws:
    """A :class:`harness.contracts.Draws`.

    :param rank: of this device among `world`.
    """

    def __init__(self, device: torch.device, rank: int = 0, world: int = 1) -> None:
        self.device = device
        self.rank = rank
        self.world = world

    def uniform(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.rand(n * self.world, *shape, device=self.device), n)

    def normal(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.randn(n * self.world, *shape, device=self.device), n)

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        return self._own(torch.randint(high, (n * self.world, *shape), device=self.device), n)

    def order(self, n: int) -> list[int]:
        order: list[int] = torch.randperm(n).tolist()  # from the host's own generator
        return order

    def _own(self, rows: Tensor, n: int) -> Tensor:
        return rows[self.rank * n : (self.rank + 1) * n]
