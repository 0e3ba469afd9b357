"""Evidence: what metrics are computed from, asked for by value and made once.

A request is a frozen dataclass whose fields say all that fixes the result; equal requests are the same evidence. It
knows how to make itself from what lies on the bench: the trained method, the data set, feature networks, the seed. A
plugin adds a kind by writing another such class; nothing else needs to know of it:

- A kind that another capability makes (scores of real images, cluster assignments, reconstructions) asks
  ``bench.trained`` for it in `make`; its metric's `requires` names the capability, so it is never asked in vain.
- A kind made from other evidence holds that request as a field and calls ``bench.get(self.of)``.
- A kind with a count, of which a smaller one is a prefix of a larger one, is a :class:`Counted`; the largest count
  that anyone asks for is made, and the others are cut from it. A set of images can also be a :class:`SetEvidence`,
  which may be streamed through feature networks without being stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from harness.capabilities import Samples
from harness.data.contracts import Modes, Split
from harness.errors import EvaluationError
from harness.evaluation.generation import BatchNormMode, collected, first_samples, generated_blocks
from harness.randomness import keyed

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench

T = TypeVar("T")


class Evidence(ABC, Generic[T]):
    """A request for evidence of type T. Subclasses are frozen dataclasses."""

    @abstractmethod
    def make(self, bench: Bench) -> T:
        """Make it; called once for each distinct request."""


class Counted(Evidence[T]):
    """Evidence of so many items, of which a smaller count is a prefix of a larger one."""

    @abstractmethod
    def items(self) -> int:
        """The count asked for."""

    @abstractmethod
    def resized(self, count: int) -> Self:
        """The same request for another count."""

    def first(self, made: T, count: int) -> T:
        """The first `count` items of what was made."""
        rows: Any = made
        cut: T = rows[:count]
        return cut


class SetEvidence(Counted[T]):
    """A set of images or points that can be had in blocks."""

    @abstractmethod
    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        """The images block by block: float [B, C, H, W] in [-1, 1] or uint8 [B, C, H, W]; points [B, D].

        Closing the generator puts back whatever was changed to make them.
        """

    @abstractmethod
    def blocks_of(self, made: T) -> Generator[Tensor, None, None]:
        """The same blocks from a set that was made before."""


@dataclass(frozen=True)
class GeneratedSet(SetEvidence[Samples]):
    """Samples 0 to count - 1 of the run.

    :param block: images generated at once.
    :param batch_norm: statistics that the generator's batch norm uses.
    """

    count: int
    block: int = 250
    batch_norm: BatchNormMode = "eval"

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> GeneratedSet:
        return replace(self, count=count)

    def first(self, made: Samples, count: int) -> Samples:
        return first_samples(made, count)

    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        with closing(self._samples(bench)) as parts:
            for samples in parts:
                yield samples.images

    def blocks_of(self, made: Samples) -> Generator[Tensor, None, None]:
        yield from made.images.split(self.block)

    def make(self, bench: Bench) -> Samples:
        """All samples, on the CPU."""
        return collected(self._samples(bench))

    def _samples(self, bench: Bench) -> Generator[Samples, None, None]:
        if self.count < 1:
            raise EvaluationError(f"a generated set needs at least 1 sample, not {self.count}")
        return generated_blocks(
            bench.trained, seed=bench.seed, count=self.count, block=self.block, batch_norm=self.batch_norm
        )


#: fixes the order in which real items are taken, so that a part of a split sorted by class is not one class
REAL_ORDER_SEED = 0


@dataclass(frozen=True)
class RealSet(SetEvidence[Split]):
    """Real items: the first `count` of a fixed random order of a split."""

    split: str
    count: int

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> RealSet:
        return replace(self, count=count)

    def first(self, made: Split, count: int) -> Split:
        return made if count == len(made) else made.subset(np.arange(count))

    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        yield from self.blocks_of(self.make(bench))

    def blocks_of(self, made: Split) -> Generator[Tensor, None, None]:
        yield from torch.from_numpy(made.values).split(1000)

    def make(self, bench: Bench) -> Split:
        whole = bench.dataset.finite(self.split)
        if not 1 <= self.count <= len(whole):
            raise EvaluationError(
                f"split '{self.split}' of data set '{bench.dataset.name}' has {len(whole)} items, not {self.count}"
            )
        return whole.subset(keyed("real set", REAL_ORDER_SEED, len(whole)).permutation(len(whole))[: self.count])


@dataclass(frozen=True)
class Features(Counted[Tensor]):
    """What a feature network says of a set of images: float32 [N, F] on the CPU.

    :param of: the images.
    :param extractor: name of the feature network.
    :param output: which of its outputs; "features", or "logits" of a classifier.
    :param quantise: rule by which float images become uint8 before they are looked at.
    """

    of: SetEvidence[Any]
    extractor: str
    output: Literal["features", "logits"] | str = "features"
    quantise: str = "round"

    def items(self) -> int:
        return self.of.items()

    def resized(self, count: int) -> Features:
        return replace(self, of=self.of.resized(count))

    def make(self, bench: Bench) -> Tensor:
        """Its rows; whatever else is expected of the same images is made in the same pass."""
        from harness.evaluation.features import feature_pass

        family = self.of.resized(0)
        others = [
            other
            for other in bench.outstanding()
            if isinstance(other, Features) and other.of.resized(0) == family and other.resized(0) != self.resized(0)
        ]
        most = max(request.items() for request in (self, *others))
        made = feature_pass(bench, self.of.resized(most), [self, *others])
        for other in others:
            bench.put(other, made[other][: other.items()])
        return made[self][: self.items()]


@dataclass(frozen=True)
class KnownModes(Evidence[Modes]):
    """The mixture of Gaussians that the data set's law is."""

    def make(self, bench: Bench) -> Modes:
        modes = bench.dataset.modes()
        if modes is None:
            raise EvaluationError(f"data set '{bench.dataset.name}' has no known modes")
        return modes
