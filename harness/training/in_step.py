"""What the processes of a run hold alike, whatever each has drawn and seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from harness.training.averaging import Average


def held_in_step(state: Mapping[str, Any]) -> Iterator[Tensor]:
    """The tensors of a declared state that must be equal on all devices.

    Parameters, declared tensors, and what objects of the method's own remember; averages and optimisers follow from
    these, and buffers of modules (running statistics) need not agree.
    """
    for value in state.values():
        if isinstance(value, nn.Module):
            yield from value.parameters()
        elif isinstance(value, Tensor):
            yield value
        elif not isinstance(value, (Optimizer, Average)):
            yield from (inner for inner in value.state_dict().values() if isinstance(inner, Tensor))
