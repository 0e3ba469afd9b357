"""Numbers of a step, summed on the device and read only when a line of the log is due."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Meters:
    """Running means by name, and for each loss term the first step at which it was not finite."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._first_bad: dict[str, Tensor] = {}

    def value(self, name: str, value: Tensor | float) -> None:
        """Add a number to the mean of `name`."""
        if not isinstance(value, Tensor):
            value = torch.full((), value, device=self._device)  # made there: an upload would make the host wait
        value = value.detach().to(self._device, torch.float32)
        self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counts[name] = self._counts.get(name, 0) + 1

    def term(self, name: str, value: Tensor, step: int) -> None:
        """Add a loss term, and watch that it is finite."""
        self.value(name, value)
        if name not in self._first_bad:
            self._first_bad[name] = torch.full((), -1, dtype=torch.int64, device=self._device)
        first = self._first_bad[name]
        newly_bad = ~torch.isfinite(value.detach()) & (first < 0)
        self._first_bad[name] = torch.where(newly_bad, torch.full_like(first, step), first)

    @property
    def terms(self) -> frozenset[str]:
        """Names of the loss terms seen so far."""
        return frozenset(self._first_bad)

    def bad_term(self) -> tuple[str, int] | None:
        """The term that stopped being finite first, and the step; None when all are finite."""
        found = [(int(first), name) for name, first in self._first_bad.items() if int(first) >= 0]
        return (min(found)[1], min(found)[0]) if found else None

    def drain(self) -> dict[str, float]:
        """The means since the last call, which are then forgotten."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        return means

    def state_dict(self) -> dict[str, Any]:
        """The unread sums, for a checkpoint between two lines of the log."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from unread sums."""
        self._sums = {name: value.to(self._device) for name, value in state["sums"].items()}
        self._counts = dict(state["counts"])
