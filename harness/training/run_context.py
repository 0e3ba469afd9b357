"""The means of one run: what :class:`harness.contracts.Context` promises, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.catalog import Catalog
from harness.contracts.context import AdversarialLoss, Loss, Penalty
from harness.contracts.feature_network import Extractor
from harness.contracts.networks import Backbone
from harness.contracts.settings import BackboneChoice
from harness.devices import full_precision
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.experiment import backbone_settings
from harness.training.meters import Meters
from harness.training.runtime import Runtime

M = TypeVar("M", bound=nn.Module)


class RunContext:
    """A :class:`harness.contracts.Context`; what each method does is said there."""

    def __init__(self, catalog: Catalog, runtime: Runtime, seed: int) -> None:
        self.catalog = catalog
        self.runtime = runtime
        self.seed = seed
        self.device = runtime.device
        self.world = runtime.world
        self.stage = ""
        self.step = 0
        self.meters = Meters(runtime.device)

    # -- building ----------------------------------------------------------------------------------

    def place(self, module: M) -> M:
        return module if self.device.type == "meta" else module.to(self.device)

    def backbone(self, choice: BackboneChoice, shape: tuple[int, ...]) -> Backbone:
        settings = backbone_settings(self.catalog, choice)
        backbone: Backbone = self.catalog.load_spec("model", choice.name, "build")(settings, shape)
        return backbone

    def loss(self, name: str) -> AdversarialLoss:
        self.catalog.loss(name)
        return AdversarialLoss(
            self.catalog.load_spec("loss", name, "discriminator"), self.catalog.load_spec("loss", name, "generator")
        )

    def penalty(self, name: str) -> Penalty:
        self.catalog.penalty(name)
        penalty: Penalty = self.catalog.load_spec("penalty", name, "penalty")
        return penalty

    def extractor(self, name: str) -> Extractor:
        return open_extractor(self.catalog, name, self.device)

    # -- drawing -----------------------------------------------------------------------------------

    def latents(self, n: int, dim: int) -> Tensor:
        return torch.randn(n, dim, device=self.device)

    def conditions(self, n: int, k: int) -> Tensor | None:
        return torch.randint(k, (n,), device=self.device) if k else None

    # -- stepping ----------------------------------------------------------------------------------

    def minimize(self, **pairs: tuple[Loss, Optimizer]) -> None:
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
        for name, value in values.items():
            self.meters.value(name, value)

    # -- precision and devices ---------------------------------------------------------------------

    def autocast(self) -> AbstractContextManager[Any]:
        return self.runtime.autocast()

    def full_precision(self) -> AbstractContextManager[Any]:
        return full_precision(self.device)

    def mean(self, value: Tensor) -> Tensor:
        return self.runtime.mean(value)

    def gather(self, value: Tensor) -> Tensor:
        return self.runtime.gather(value)
