"""What a method is handed to work with: device, precision, networks by name, and `minimize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.config import BackboneChoice
from harness.experiment import backbone_settings
from harness.training.devices import Runtime, full_precision
from harness.training.meters import Meters

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.networks import Backbone

M = TypeVar("M", bound=nn.Module)

#: a loss, or its terms by name; the terms are summed
Loss = Tensor | Mapping[str, Tensor]


class AdversarialLoss(NamedTuple):
    """Two pure functions of logits, both to be minimised.

    :ivar discriminator: (real logits, fake logits) to a scalar.
    :ivar generator: (fake logits) to a scalar.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


class Context:
    """One run's means, the same on CPU, GPU and several GPUs.

    :ivar seed: the run's seed.
    :ivar device: where tensors live.
    :ivar stage: name of the stage under way.
    :ivar step: number of the step under way in its stage, from 0.
    """

    def __init__(self, catalog: Catalog, runtime: Runtime, seed: int) -> None:
        self.catalog = catalog
        self.runtime = runtime
        self.seed = seed
        self.device = runtime.device
        self.stage = ""
        self.step = 0
        self.meters = Meters(runtime.device)

    # -- building ----------------------------------------------------------------------------------

    def place(self, module: M) -> M:
        """The module on the run's device."""
        return module if self.device.type == "meta" else module.to(self.device)

    def backbone(self, choice: BackboneChoice, shape: tuple[int, ...]) -> Backbone:
        """The backbone that the settings name, for data of this shape."""
        settings = backbone_settings(self.catalog, choice)
        backbone: Backbone = self.catalog.load_spec("model", choice.name, "build")(settings, shape)
        return backbone

    def loss(self, name: str) -> AdversarialLoss:
        """The adversarial loss called `name`."""
        self.catalog.loss(name)
        return AdversarialLoss(
            self.catalog.load_spec("loss", name, "discriminator"), self.catalog.load_spec("loss", name, "generator")
        )

    def penalty(self, name: str) -> Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]:
        """The gradient penalty called `name`: (critic, real, fake) to a scalar."""
        self.catalog.penalty(name)
        penalty: Callable[..., Tensor] = self.catalog.load_spec("penalty", name, "penalty")
        return penalty

    # -- drawing -----------------------------------------------------------------------------------

    def latents(self, n: int, dim: int) -> Tensor:
        """Standard normal latents [n, dim]."""
        return torch.randn(n, dim, device=self.device)

    def conditions(self, n: int, k: int) -> Tensor | None:
        """Uniform conditions int64 [n] below `k`; None where there are none to tell (k = 0)."""
        return torch.randint(k, (n,), device=self.device) if k else None

    # -- stepping ----------------------------------------------------------------------------------

    def minimize(self, **pairs: tuple[Loss, Optimizer]) -> None:
        """Minimise losses, each over its own optimiser's parameters: all gradients first, then all steps.

        ``ctx.minimize(discriminator=({"adversarial": a, "proximity": p}, adam))``. No gradient lands on any other
        parameter. Gradients are averaged over devices. The names feed the log and the guard against NaN
        ("discriminator/proximity").
        """
        gradients: list[tuple[Optimizer, list[nn.Parameter], Sequence[Tensor | None]]] = []
        for number, (name, (loss, optimizer)) in enumerate(pairs.items()):
            terms = dict(loss) if isinstance(loss, Mapping) else {"loss": loss}
            for term, value in terms.items():
                self.meters.term(f"{name}/{term}", value, self.step)
            parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
            total = torch.stack([value.float() for value in terms.values()]).sum()
            keep = number < len(pairs) - 1  # the pairs may share a graph
            found = torch.autograd.grad(total, parameters, retain_graph=keep, allow_unused=True)
            gradients.append((optimizer, parameters, found))
        for optimizer, parameters, of_all in gradients:
            for parameter, gradient in zip(parameters, self.runtime.average(of_all, parameters), strict=True):
                parameter.grad = gradient
            optimizer.step()
            for parameter in parameters:
                parameter.grad = None

    def log(self, **values: Tensor | float) -> None:
        """Report numbers; the log shows their mean since its last line."""
        for name, value in values.items():
            self.meters.value(name, value)

    # -- precision and devices ---------------------------------------------------------------------

    def autocast(self) -> AbstractContextManager[Any]:
        """The run's precision; the loop calls every step under it."""
        return self.runtime.autocast()

    def full_precision(self) -> AbstractContextManager[Any]:
        """float32 without TF32, for penalties, distances and coders; inputs are the caller's to cast with .float()."""
        return full_precision(self.device)

    def mean(self, value: Tensor) -> Tensor:
        """Mean over devices (the value itself on one)."""
        return self.runtime.mean(value)

    def gather(self, value: Tensor) -> Tensor:
        """Rows of all devices [world x N, ...] (the value itself on one); gradients flow to the own rows only."""
        return self.runtime.gather(value)
