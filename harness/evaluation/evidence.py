"""Evidence: what metrics are computed from, asked for by value and made once.

A request is a frozen dataclass whose fields say all that fixes the result; equal requests are the same evidence. It
knows how to make itself from what lies on the bench: the trained method, the data set, feature networks, the seed. A
plugin adds a kind by writing another such class; nothing else needs to know of it:

- A kind that another capability makes (scores of real images, cluster assignments, reconstructions) asks
  ``bench.trained`` for it in `make`; its metric's `requires` names the capability, so it is never asked in vain.
- A kind made from other evidence holds that request as a field, calls ``bench.get(self.of)``, and names it in `needs`,
  so that it is expected beside all others.
- A kind with a count, of which a smaller one is a prefix of a larger one, is a :class:`Counted`; the largest count
  that anyone asks for is made, and the others are cut from it. A set of images can also be a :class:`SetEvidence`,
  which may be streamed through feature networks without being stored.

The kinds that the harness brings along: sets of images (``sets``), what is observed of them (``observations``), what a
method says of them (``answers``), and statistics of real features (``statistics``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from torch import Tensor

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench

T = TypeVar("T")


class Evidence(ABC, Generic[T]):
    """A request for evidence of type T. Subclasses are frozen dataclasses."""

    @abstractmethod
    def make(self, bench: Bench) -> T:
        """Make it; called once for each distinct request."""

    def needs(self, bench: Bench) -> Iterable[Evidence[Any]]:
        """Other evidence that `make` will ask for."""
        return ()

    def size(self) -> int | None:
        """How many items it is about, where that is known beforehand."""
        return None


class Counted(Evidence[T]):
    """Evidence of so many items, of which a smaller count is a prefix of a larger one."""

    @abstractmethod
    def items(self) -> int:
        """The count asked for."""

    @abstractmethod
    def resized(self, count: int) -> Self:
        """The same request for another count."""

    def size(self) -> int:
        return self.items()

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


class OfSet(Counted[T]):
    """Evidence with something for each item of a set. Subclasses are frozen dataclasses."""

    of: SetEvidence[Any]

    def items(self) -> int:
        return self.of.items()

    def resized(self, count: int) -> Self:
        changed: Any = self
        other: Self = replace(changed, of=self.of.resized(count))
        return other
