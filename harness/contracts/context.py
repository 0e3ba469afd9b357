"""What a method is handed to work with: device, precision, networks by name, and `minimize`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypedDict, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.contracts.companions import Augmentation
from harness.contracts.draws import Draws
from harness.contracts.feature_network import Extractor
from harness.contracts.networks import Backbone, Discriminator
from harness.contracts.settings import AugmentationChoice, BackboneChoice

M = TypeVar("M", bound=nn.Module)
D = TypeVar("D", bound=Discriminator)

#: a loss, or its terms by name; the terms are summed
Loss = Tensor | Mapping[str, Tensor]

#: called as penalty(critic, real, fake, draws): `critic` maps images [N, ...] to logits [N]; returns a scalar
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor, Draws], Tensor]


class Head(TypedDict):
    """What a loss asks of a discriminator's linear head, as arguments of a backbone."""

    conditions: int
    outputs: int


class AdversarialLoss(Protocol):
    """An adversarial loss as a method uses it; whatever accompanies the method looks on.

    :ivar paired: whether :meth:`generator` takes the logits of real images too.
    """

    paired: bool

    def head(self, conditions: int) -> Head:
        """What to ask a backbone's discriminator for: ``conditions`` and ``outputs``.

        :param conditions: of the generator; 0 where it is told nothing.
        :raises SettingsError: where the loss needs labels, and there are none.
        """
        ...

    def discriminator(
        self, real: Tensor, fake: Tensor, labels: Tensor | None = None, told: Tensor | None = None
    ) -> Tensor:
        """Logits of real and fake images of one discriminator step to a scalar.

        An augmentation's controller sees the scores of the real images, and a regulariser's term is added; call it once
        a step.

        :param labels: of the real images, int64 [N]; `told`: conditions of the fakes. Only losses that tell classes
            apart by themselves look at either.
        """
        ...

    def generator(self, fake: Tensor, told: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """Logits of fake images to a scalar.

        :param real: logits of real images, where the loss is `paired`.
        """
        ...

    def score(self, logits: Tensor, told: Tensor | None = None) -> Tensor:
        """The one number an image, [N], that penalties look at."""
        ...


class Context(Draws, Protocol):
    """One run's means, the same on CPU, GPU and several GPUs.

    Every random number of a step is drawn through it (:class:`harness.contracts.Draws`), never from torch directly.

    :ivar seed: the run's seed.
    :ivar device: where tensors live.
    :ivar world: number of devices, each of which sees its share of a batch.
    :ivar rank: number of this device; among gathered rows its N own are rank x N to (rank + 1) x N - 1.
    :ivar stage: name of the stage under way.
    :ivar step: number of the step under way in its stage, from 0.
    """

    seed: int
    device: torch.device
    world: int
    rank: int
    stage: str
    step: int

    # -- building ----------------------------------------------------------------------------------

    def place(self, module: M) -> M:
        """The module on the run's device."""
        ...

    def adversary(self, discriminator: D, pack: int = 1) -> D:
        """The discriminator on the run's device, behind the augmentation that the settings name, if any.

        The augmentation changes what comes in while the discriminator is in training mode, and nothing else.

        :param pack: images that it sees at once, stacked along the channels; each is augmented by itself.
        """
        ...

    def backbone(self, choice: BackboneChoice, shape: tuple[int, ...]) -> Backbone:
        """The backbone that the settings name, for data of this shape."""
        ...

    def loss(self, name: str) -> AdversarialLoss:
        """The adversarial loss called `name`."""
        ...

    def augmentation(self, choice: AugmentationChoice) -> Augmentation:
        """An augmentation of the method's own, beside the one that :meth:`adversary` attaches."""
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
        """Standard normal latents [n, dim]; the same as ``normal(n, dim)``."""
        ...

    def noise(self, place: str, shape: tuple[int, ...]) -> Tensor:
        """Standard normal noise of this shape, [n, ...], for a generator's places: a :data:`Noise`."""
        ...

    def conditions(self, n: int, k: int) -> Tensor | None:
        """Uniform conditions int64 [n] below `k`; None where there are none to tell (k = 0)."""
        ...

    # -- stepping ----------------------------------------------------------------------------------

    def parts(self, *tensors: Tensor | None) -> Iterator[tuple[Any, ...]]:
        """A batch in as many equal parts as the setting `accumulate` says: slices of the rows of all tensors.

        ``for real, labels in ctx.parts(batch.images, labels): ... ctx.minimize(...)``: optimisers step after the last
        part, with the mean of all parts' gradients; draws inside are those of the part's rows. One part is the batch as
        it is. A method that takes all its batches so says ``accumulates = True``. Inside of several parts nothing of a
        whole batch is to be had (:meth:`mean`, :meth:`gather`): that is refused, or taken behind the loop.
        """
        ...

    def minimize(self, *, reach_all: bool = False, **pairs: tuple[Loss, Optimizer]) -> None:
        """Minimise losses, each over its own optimiser's parameters: all gradients first, then all steps.

        ``ctx.minimize(discriminator=({"adversarial": a, "proximity": p}, adam))``. No gradient lands on any other
        parameter. Gradients are averaged over devices. The names feed the log and the guard against NaN
        ("discriminator/proximity").

        :param reach_all: step parameters that a loss does not reach too, with a gradient of 0, so that what an
            optimiser remembers of them fades (lazy regularisation); else they are left alone.
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
        """Mean over devices (the value itself on one), without gradient."""
        ...

    def share(self, n: int) -> int:
        """Rows of a batch of `n` that lie on this device.

        :raises SettingsError: where the devices cannot share it equally.
        """
        ...

    def gather(self, value: Tensor) -> Tensor:
        """Rows of all devices [world x N, ...] (the value itself on one); gradients flow to the rows of all."""
        ...
