"""What a method is handed to work with: device, precision, networks by name, and `minimize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.contracts.feature_network import Extractor
from harness.contracts.networks import Backbone
from harness.contracts.settings import BackboneChoice

M = TypeVar("M", bound=nn.Module)

#: a loss, or its terms by name; the terms are summed
Loss = Tensor | Mapping[str, Tensor]

#: called as penalty(critic, real, fake): `critic` maps images [N, ...] to logits [N]; returns a scalar
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]


class AdversarialLoss(NamedTuple):
    """Two pure functions of logits, both to be minimised.

    :ivar discriminator: (real logits, fake logits) to a scalar.
    :ivar generator: (fake logits) to a scalar.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


class Context(Protocol):
    """One run's means, the same on CPU, GPU and several GPUs.

    :ivar seed: the run's seed.
    :ivar device: where tensors live.
    :ivar world: number of devices, each of which sees its share of a batch.
    :ivar stage: name of the stage under way.
    :ivar step: number of the step under way in its stage, from 0.
    """

    seed: int
    device: torch.device
    world: int
    stage: str
    step: int

    # -- building ----------------------------------------------------------------------------------

    def place(self, module: M) -> M:
        """The module on the run's device."""
        ...

    def backbone(self, choice: BackboneChoice, shape: tuple[int, ...]) -> Backbone:
        """The backbone that the settings name, for data of this shape."""
        ...

    def loss(self, name: str) -> AdversarialLoss:
        """The adversarial loss called `name`."""
        ...

    def penalty(self, name: str) -> Penalty:
        """The gradient penalty called `name`."""
        ...

    def extractor(self, name: str) -> Extractor:
        """The frozen feature network called `name`, in eval mode, its weights verified.

        :raises EvaluationError: where its weights or its package are not at hand, saying how to get them.
        """
        ...

    # -- drawing -----------------------------------------------------------------------------------

    def latents(self, n: int, dim: int) -> Tensor:
        """Standard normal latents [n, dim]."""
        ...

    def conditions(self, n: int, k: int) -> Tensor | None:
        """Uniform conditions int64 [n] below `k`; None where there are none to tell (k = 0)."""
        ...

    # -- stepping ----------------------------------------------------------------------------------

    def minimize(self, **pairs: tuple[Loss, Optimizer]) -> None:
        """Minimise losses, each over its own optimiser's parameters: all gradients first, then all steps.

        ``ctx.minimize(discriminator=({"adversarial": a, "proximity": p}, adam))``. No gradient lands on any other
        parameter. Gradients are averaged over devices. The names feed the log and the guard against NaN
        ("discriminator/proximity").
        """
        ...

    def log(self, **values: Tensor | float) -> None:
        """Report numbers; the log shows their mean since its last line."""
        ...

    # -- precision and devices ---------------------------------------------------------------------

    def autocast(self) -> AbstractContextManager[Any]:
        """The run's precision; the loop calls every step under it."""
        ...

    def full_precision(self) -> AbstractContextManager[Any]:
        """float32 without TF32, for penalties, distances and coders; inputs are the caller's to cast with .float()."""
        ...

    def mean(self, value: Tensor) -> Tensor:
        """Mean over devices (the value itself on one)."""
        ...

    def gather(self, value: Tensor) -> Tensor:
        """Rows of all devices [world x N, ...] (the value itself on one); gradients flow to the own rows only."""
        ...
