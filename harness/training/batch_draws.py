"""Draws of a training step from torch's global generator, which the loop seeds alike on every device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
        self._parts = 1

    @contextmanager
    def joined(self, parts: int) -> Iterator[None]:
        before, self._parts = self._parts, parts
        try:
            yield
        finally:
            self._parts = before

    def uniform(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.rand(n * self.world, *shape, device=self.device), n)

    def normal(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.randn(n * self.world, *shape, device=self.device), n)

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        return self._own(torch.randint(high, (n * self.world, *shape), device=self.device), n)

    def known(self, high: int, n: int) -> Tensor:
        return self._own(torch.randint(high, (n * self.world,)), n)

    def common(self) -> float:
        return float(torch.rand(()))  # from the host's own generator

    def order(self, n: int) -> list[int]:
        order: list[int] = torch.randperm(n).tolist()  # from the host's own generator
        return order

    def _own(self, rows: Tensor, n: int) -> Tensor:
        """This device's `n` of the rows of all."""
        if n % self._parts:
            raise ValueError(f"{n} rows are not made of {self._parts} equal parts")
        by_part = rows.unflatten(0, (self._parts, self.world, n // self._parts))
        own: Tensor = by_part[:, self.rank].flatten(0, 1)
        return own
