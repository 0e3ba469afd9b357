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

The kinds that the harness brings along: sets of images (``image_sets``, ``images_in_files``), what feature networks say
of them (``features``), what a method says of them (``method_outputs``, once it is calibrated: ``calibration``) and of
itself (``reported_numbers``), facts of the data (``data_facts``), and statistics of real features
(``real_statistics``).
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import torch
from torch import Tensor

from harness.contracts.feature_network import Extractor
from harness.devices import full_precision
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.evaluation.reference_statistics.cache import ReferenceCache, cache_folder
from harness.evaluation.reference_statistics.npz_file import StatisticsFile
from harness.evaluation.sampling.blocks import networks_of
from harness.evaluation.sampling.undisturbed import undisturbed
from harness.randomness import seed_everything

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.data.loading import LoadedDataset

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

    #: whether making it passes over the set's images, so that what is laid down along the way comes with it
    passes_over: ClassVar[bool] = False

    def items(self) -> int:
        return self.of.items()

    def resized(self, count: int) -> Self:
        changed: Any = self
        other: Self = replace(changed, of=self.of.resized(count))
        return other


class Bench:
    """One trained method beside one data set.

    :ivar trained: the object with capabilities.
    :ivar dataset: what it is held against; where there is nothing real, the generated images themselves.
    :ivar seed: the seed of the run, which fixes every sample.
    :ivar has_real: whether `dataset` holds real items.
    :ivar imported: statistics that stand for the real images in Fréchet distances.
    :ivar cache: what is kept of real sets.
    :ivar note: takes what the user should know while evidence is made.
    """

    def __init__(
        self,
        trained: Any,
        dataset: LoadedDataset,
        catalog: Catalog,
        seed: int,
        device: torch.device | str,
        *,
        has_real: bool = True,
        imported: StatisticsFile | None = None,
        cache: ReferenceCache | None = None,
        note: Callable[[str], None] = warnings.warn,
    ) -> None:
        self.trained = trained
        self.dataset = dataset
        self.catalog = catalog
        self.seed = seed
        self.device = torch.device(device)
        self.has_real = has_real
        self.imported = imported
        self.cache = ReferenceCache(cache_folder(), note) if cache is None else cache
        self.note = note
        self._made: dict[Evidence[Any], Any] = {}
        self._count: dict[Evidence[Any], int] = {}
        self._expected: dict[Evidence[Any], int] = {}
        self._extractors: dict[str, Extractor] = {}
        #: what was looked up in the cache, so that no file is read twice
        self.kept: dict[tuple[str, Evidence[Any]], Any] = {}

    def extractor(self, name: str) -> Extractor:
        """The feature network called `name`, opened once."""
        if name not in self._extractors:
            self._extractors[name] = open_extractor(self.catalog, name, self.device)
        return self._extractors[name]

    # -- evidence ----------------------------------------------------------------------------------

    def expect(self, requests: Iterable[Evidence[Any]]) -> None:
        """Say what will be asked for, so that the largest count is made at once and images are passed over once."""
        for request in requests:
            family = _family(request)
            count = request.items() if isinstance(request, Counted) else 0
            self._expected[family] = max(count, self._expected.get(family, 0))
            self.expect(request.needs(self))

    def outstanding(self) -> list[Evidence[Any]]:
        """What is expected and not made yet, each at the largest count expected."""
        return [
            family.resized(count) if isinstance(family, Counted) else family
            for family, count in self._expected.items()
            if family not in self._made or self._count[family] < count
        ]

    def get(self, request: Evidence[T]) -> T:
        """The evidence asked for; made at the first request, and again only for a count beyond all expected."""
        if not isinstance(request, Counted):
            if request not in self._made:
                self.put(request, request.make(self))
            plain: T = self._made[request]
            return plain
        family = _family(request)
        if self._count.get(family, 0) < request.items() or family not in self._made:
            largest = request.resized(max(request.items(), self._expected.get(family, 0)))
            self.put(largest, largest.make(self))
        cut: T = request.first(self._made[family], request.items())
        return cut

    def put(self, request: Evidence[T], made: T) -> None:
        """Lay down evidence that was made along the way; more of the same that lies there already stays."""
        family = _family(request)
        count = request.items() if isinstance(request, Counted) else 0
        if family not in self._made or count >= self._count[family]:
            self._made[family] = made
            self._count[family] = count

    def holds(self, request: Evidence[Any]) -> bool:
        """Whether evidence was made before, or will be stored once it is: asking for it makes nothing twice."""
        family = _family(request)
        return family in self._made or family in self._expected

    def blocks(self, request: SetEvidence[Any]) -> Generator[Tensor, None, None]:
        """A set's images block by block; it is stored only where somebody wants the set itself."""
        if self.holds(request):
            return request.blocks_of(self.get(request))
        return request.blocks(self)

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """Nothing disturbed, and the same bytes for the same request: no autocast, no TF32, no algorithm by race."""
        cudnn = torch.backends.cudnn
        benchmark, deterministic = cudnn.benchmark, cudnn.deterministic
        with undisturbed(networks_of(self.trained)), full_precision(self.device):
            cudnn.benchmark, cudnn.deterministic = False, True
            try:
                yield
            finally:
                cudnn.benchmark, cudnn.deterministic = benchmark, deterministic

    @contextmanager
    def asking(self, *what: int | str) -> Iterator[None]:
        """The method's networks in eval mode, without gradients; afterwards they are as they were.

        :param what: is asked, and of which items: a method that draws on global generators answers the same again.
        """
        networks = networks_of(self.trained)
        with undisturbed(networks), torch.no_grad():
            seed_everything("answer", self.seed, *what)
            for network in networks.values():
                network.eval()
            yield


def _family(request: Evidence[Any]) -> Evidence[Any]:
    """What requests share that differ in their count alone."""
    return request.resized(0) if isinstance(request, Counted) else request
