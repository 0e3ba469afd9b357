"""The means of one run: what :class:`harness.contracts.Context` promises, kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.catalog import Catalog
from harness.contracts.companions import Augmentation
from harness.contracts.context import AdversarialLoss, Loss as LossTerms, Penalty
from harness.contracts.feature_network import Extractor
from harness.contracts.networks import Backbone, Discriminator
from harness.contracts.settings import AugmentationChoice, BackboneChoice, RegulariserChoice
from harness.devices import full_precision
from harness.errors import SettingsError
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.experiment import chosen_settings
from harness.training.accumulation import Accumulation
from harness.training.attached_companions import Companions
from harness.training.batch_draws import BatchDraws
from harness.training.losses import Loss
from harness.training.meters import Meters
from harness.training.runtime import Runtime
from harness.training.shared_batch_norm import share_batch_norms

M = TypeVar("M", bound=nn.Module)
D = TypeVar("D", bound=Discriminator)


class RunContext(BatchDraws):
    """A :class:`harness.contracts.Context`; what each method does is said there."""

    def __init__(self, catalog: Catalog, runtime: Runtime, seed: int) -> None:
        super().__init__(runtime.device, runtime.rank, runtime.world)
        self.catalog = catalog
        self.runtime = runtime
        self.seed = seed
        self.stage = ""
        self.step = 0
        self.meters = Meters(runtime.device)
        self.stepping = False
        self.companions = Companions()
        self.has_loss = False
        self.accumulation = Accumulation(runtime.device)

    # -- building ----------------------------------------------------------------------------------

    def place(self, module: M) -> M:
        self.accumulation.watch(module)
        if self.world > 1:
            share_batch_norms(module, self.runtime.gather, lambda: self.stepping)
        return module if self.device.type == "meta" else module.to(self.device)

    def adversary(self, discriminator: D, pack: int = 1) -> D:
        self.companions.attach(discriminator, pack)
        return self.place(discriminator)

    def backbone(self, choice: BackboneChoice, shape: tuple[int, ...]) -> Backbone:
        settings = chosen_settings(self.catalog, choice, "backbone")
        backbone: Backbone = self.catalog.load_spec("model", choice.name, "build")(settings, shape)
        return backbone

    def loss(self, name: str) -> AdversarialLoss:
        self.has_loss = True
        return Loss(self.catalog, name, self.companions, self)

    def augmentation(self, choice: AugmentationChoice) -> Augmentation:
        made: Augmentation = self._companion(choice, "augmentation")
        return made

    def accompany(self, augmentation: AugmentationChoice, regulariser: RegulariserChoice) -> None:
        """Make what the settings name accompany everything that is built from now on."""
        self.companions = Companions(
            None if augmentation.name is None else self.augmentation(augmentation),
            None if regulariser.name is None else self._companion(regulariser, "regulariser"),
        )

    def _companion(self, choice: AugmentationChoice | RegulariserChoice, key: str) -> Any:
        settings = chosen_settings(self.catalog, choice, key)
        assert choice.name is not None
        return self.catalog.load_spec(choice.kind, choice.name, key)(settings, self)

    def penalty(self, name: str) -> Penalty:
        self.catalog.penalty(name)
        penalty: Penalty = self.catalog.load_spec("penalty", name, "penalty")
        return penalty

    def extractor(self, name: str) -> Extractor:
        return open_extractor(self.catalog, name, self.device)

    # -- drawing -----------------------------------------------------------------------------------

    def latents(self, n: int, dim: int) -> Tensor:
        return self.normal(n, dim)

    def noise(self, place: str, shape: tuple[int, ...]) -> Tensor:
        return self.normal(*shape)

    def conditions(self, n: int, k: int) -> Tensor | None:
        return self.integers(k, n) if k else None

    # -- stepping ----------------------------------------------------------------------------------

    def parts(self, *tensors: Tensor | None) -> Iterator[tuple[Any, ...]]:
        if self.accumulation.of == 1:
            yield tensors
            return
        for part in self.accumulation.parts(tensors):
            with self.sliced(self.accumulation.number, self.accumulation.of):
                yield part

    def minimize(self, *, reach_all: bool = False, **pairs: tuple[LossTerms, Optimizer]) -> None:
        gradients: list[tuple[Optimizer, list[nn.Parameter], Sequence[Tensor | None]]] = []
        for number, (name, (loss, optimizer)) in enumerate(pairs.items()):
            terms = dict(loss) if isinstance(loss, Mapping) else {"loss": loss}
            for term, value in terms.items():
                self.meters.term(f"{name}/{term}", value, self.step)
            parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
            total = torch.stack([value.float() for value in terms.values()]).sum()
            keep = number < len(pairs) - 1  # the pairs may share a graph
            found = torch.autograd.grad(
                total, parameters, retain_graph=keep, allow_unused=True, materialize_grads=reach_all
            )
            whole = self.accumulation.add(name, found)
            if whole is not None:
                gradients.append((optimizer, parameters, whole))
        for optimizer, parameters, of_all in gradients:
            for parameter, gradient in zip(parameters, self.runtime.average(of_all, parameters), strict=True):
                parameter.grad = _laid_out(gradient, parameter)
            optimizer.step()
            for parameter in parameters:
                parameter.grad = None
        if gradients:
            with self.accumulation.whole():
                self.companions.settle()

    def log(self, **values: Tensor | float) -> None:
        for name, value in values.items():
            self.meters.value(name, value)

    @contextmanager
    def all_stepping(self) -> Iterator[None]:
        """All devices are in one step of training."""
        self.stepping = True
        try:
            yield
        finally:
            self.stepping = False

    # -- precision and devices ---------------------------------------------------------------------

    def autocast(self) -> AbstractContextManager[Any]:
        return self.runtime.autocast()

    def full_precision(self) -> AbstractContextManager[Any]:
        return full_precision(self.device)

    def mean(self, value: Tensor) -> Tensor:
        self.accumulation.refuse("the mean")
        return self.runtime.mean(value)

    def share(self, n: int) -> int:
        if n % self.world:
            raise SettingsError(f"a batch of {n} cannot be shared equally by {self.world} devices")
        return n // self.world

    def gather(self, value: Tensor) -> Tensor:
        self.accumulation.refuse("the rows")
        return self.runtime.gather(value)


def _laid_out(gradient: Tensor | None, parameter: Tensor) -> Tensor | None:
    """A gradient in its parameter's layout: torch's fused Adam reads both in the order in which they lie in memory."""
    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
