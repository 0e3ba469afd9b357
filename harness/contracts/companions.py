"""What accompanies an adversarial method: augmentations before its discriminator, regularisers of its logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor


class Augmentation(Protocol):
    """Changes images on their way to the discriminator, in training only.

    Built as ``Augmentation(settings, ctx)``; draws through the context alone.
    """

    def __call__(self, images: Tensor) -> Tensor:
        """Images float [N, C, H, W] in about [-1, 1] to the same shape; can be differentiated twice."""
        ...

    def observe(self, scores: Tensor) -> None:
        """Scores [N] of the real images of one discriminator step, without gradient: what a controller goes by."""
        ...

    def state_dict(self) -> Mapping[str, Any]:
        """What it remembers: tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back a state."""
        ...


class Regulariser(Protocol):
    """A term of the discriminator's loss, made from its scores, with a memory.

    Built as ``Regulariser(settings, ctx)``.
    """

    def term(self, real: Tensor, fake: Tensor, step: int) -> Tensor:
        """Scores [N] of real and fake images of a discriminator step to a weighted scalar.

        What it remembers is brought up to date first.

        :param step: of the stage, from 0; the discriminator may take several in one.
        """
        ...

    def state_dict(self) -> Mapping[str, Any]:
        """What it remembers: tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back a state."""
        ...
