"""An adversarial loss in use: what a loss's functions ask for is handed to them, and companions look on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from harness.catalog import Catalog
from harness.contracts.context import Head
from harness.contracts.specs import LossSpec
from harness.errors import SettingsError
from harness.training.attached_companions import Companions


class _Steps(Protocol):
    """What of a run's context a loss looks at."""

    step: int

    def log(self, **values: Tensor | float) -> None: ...


class Loss:
    """A :class:`harness.contracts.AdversarialLoss`; what each method does is said there."""

    def __init__(self, catalog: Catalog, name: str, companions: Companions, ctx: _Steps) -> None:
        self._spec: LossSpec = catalog.loss(name)
        self._companions = companions
        self._ctx = ctx
        self._discriminator: Any = catalog.load_spec("loss", name, "discriminator")
        self._generator: Any = catalog.load_spec("loss", name, "generator")
        self._outputs: Callable[[int], int] | None = None
        self._score: Callable[[Tensor, Tensor | None], Tensor] | None = None
        if self._spec.outputs is not None:
            self._outputs = catalog.load_spec("loss", name, "outputs")
        if self._spec.score is not None:
            self._score = catalog.load_spec("loss", name, "score")
        self.paired = self._spec.paired

    def head(self, conditions: int) -> Head:
        if self._spec.needs_labels and not conditions:
            raise SettingsError(
                f"loss '{self._spec.name}' tells classes apart, and this method is told none",
                "use --set conditional=true, or another loss",
            )
        if self._outputs is None:
            return {"conditions": conditions, "outputs": 1}
        return {"conditions": 0, "outputs": self._outputs(conditions)}

    def discriminator(
        self, real: Tensor, fake: Tensor, labels: Tensor | None = None, told: Tensor | None = None
    ) -> Tensor:
        found: Tensor = (
            self._discriminator(real, fake) if self._outputs is None else self._discriminator(real, fake, labels, told)
        )
        more = self._companions.look(self.score(real, labels), self.score(fake, told), self._ctx.step)
        if more is None:
            return found
        self._ctx.log(regulariser=more.detach())
        return found + more

    def generator(self, fake: Tensor, told: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        given = [fake]
        if self.paired:
            if real is None:
                raise ValueError(f"loss '{self._spec.name}' holds fake images against real ones: pass real=logits")
            given.append(real)
        found: Tensor = self._generator(*given) if self._outputs is None else self._generator(*given, told)
        return found

    def score(self, logits: Tensor, told: Tensor | None = None) -> Tensor:
        return logits if self._score is None else self._score(logits, told)
