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
        self._slice = (0, 1)

    @contextmanager
    def sliced(self, number: int, of: int) -> Iterator[None]:
        """Draws inside are for part `number` of each device's rows, of `of` equal ones that come one after another."""
        before, self._slice = self._slice, (number, of)
        try:
            yield
        finally:
            self._slice = before

    @contextmanager
    def joined(self, parts: int) -> Iterator[None]:
        before, self._parts = self._parts, parts
        try:
            yield
        finally:
            self._parts = before

    def uniform(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.rand(self._all(n), *shape, device=self.device), n)

    def normal(self, n: int, *shape: int) -> Tensor:
        return self._own(torch.randn(self._all(n), *shape, device=self.device), n)

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        return self._own(torch.randint(high, (self._all(n), *shape), device=self.device), n)

    def known(self, high: int, n: int) -> Tensor:
        return self._own(torch.randint(high, (self._all(n),)), n)

    def common(self) -> float:
        return float(torch.rand(()))  # from the host's own generator

    def order(self, n: int) -> list[int]:
        order: list[int] = torch.randperm(n).tolist()  # from the host's own generator
        return order

    def _all(self, n: int) -> int:
        """Rows of the whole batch, where `n` are asked for."""
        return n * self.world * self._slice[1]

    def _own(self, rows: Tensor, n: int) -> Tensor:
        """This device's `n` of the rows of all."""
        if n % self._parts:
            raise ValueError(f"{n} rows are not made of {self._parts} equal parts")
        number, of = self._slice
        by_part = rows.unflatten(0, (self._parts, self.world, of, n // self._parts))
        own: Tensor = by_part[:, self.rank, number].flatten(0, 1)
        return own
