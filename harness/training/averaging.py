"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)

#: buffers that are statistics of the data and are averaged; all others (power-iteration vectors, counters) are copied,
#: since an average of unit vectors is no unit vector
RUNNING_STATISTICS = ("running_mean", "running_var")


class Average(Generic[M]):
    """An averaged copy of a network: avg <- decay * avg + (1 - decay) * now.

    :param network: what is averaged; `module` starts as its copy.
    :param decay: share of the old average that is kept at each update; 0 makes a copy each time.
    :param start: updates with an earlier step copy the network instead.
    """

    def __init__(self, network: M, decay: float, start: int = 0) -> None:
        self.module = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        self.start = start

    @torch.no_grad()
    def update(self, network: M, step: int) -> None:
        """Take in the network as it is after step `step`."""
        kept = self.decay if step >= self.start else 0.0
        averaged: list[Tensor] = []
        now: list[Tensor] = []
        averaged += self.module.parameters()
        now += network.parameters()
        for (name, mean), (_, value) in zip(self.module.named_buffers(), network.named_buffers(), strict=True):
            if name.rpartition(".")[2] in RUNNING_STATISTICS:
                averaged.append(mean)
                now.append(value)
            else:
                mean.copy_(value)
        if kept == 0.0:
            torch._foreach_copy_(averaged, now)
        else:
            torch._foreach_lerp_(averaged, now, 1.0 - kept)

    def state_dict(self) -> dict[str, Any]:
        """The averaged network's state."""
        return self.module.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state."""
        self.module.load_state_dict(state)
