"""The bench: what evidence is made from, and where it lies once made."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from harness.evaluation.cache import ReferenceCache, cache_folder
from harness.evaluation.evidence import Counted, Evidence, SetEvidence
from harness.evaluation.extractors import Extractor, open_extractor
from harness.evaluation.gaussian import Gaussian
from harness.evaluation.generation import networks_of
from harness.evaluation.isolation import undisturbed
from harness.evaluation.reference_key import reference_key, statistics_key
from harness.evaluation.sets import outlier_split
from harness.evaluation.statistics_file import StatisticsFile
from harness.randomness import seed_everything
from harness.training.devices import full_precision

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.data.contracts import Split
    from harness.data.loading import LoadedDataset
    from harness.evaluation.observations import Features

T = TypeVar("T")


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
        self._outliers: dict[tuple[str, str], Split] = {}
        self._kept: dict[tuple[str, Features], Any] = {}

    def extractor(self, name: str) -> Extractor:
        """The feature network called `name`, opened once."""
        if name not in self._extractors:
            self._extractors[name] = open_extractor(self.catalog, name, self.device)
        return self._extractors[name]

    def outliers(self, name: str, split: str) -> Split:
        """A split of another data set, made to fit as this one was; read once."""
        if (name, split) not in self._outliers:
            self._outliers[name, split] = outlier_split(self.dataset, name, split)
        return self._outliers[name, split]

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

    # -- what is kept of real sets -----------------------------------------------------------------

    def kept_features(self, request: Features) -> Tensor | None:
        """Features of real items from an earlier evaluation, if there are any."""
        if ("features", request) not in self._kept:
            key = reference_key(self, request)
            self._kept["features", request] = key and self.cache.features(key, request.items())
        kept: Tensor | None = self._kept["features", request]
        return kept

    def keep_features(self, request: Features, rows: Tensor) -> None:
        """Keep features for a later evaluation, where they are those of real items."""
        if (key := reference_key(self, request)) is not None:
            self.cache.keep_features(key, rows)

    def kept_statistics(self, request: Features) -> Gaussian | None:
        """Statistics of the features of real items from an earlier evaluation, if there are any."""
        if ("statistics", request) not in self._kept:
            key = statistics_key(self, request)
            self._kept["statistics", request] = key and self.cache.statistics(key)
        kept: Gaussian | None = self._kept["statistics", request]
        return kept

    def keep_statistics(self, request: Features, gaussian: Gaussian) -> None:
        """Keep statistics for a later evaluation."""
        if (key := statistics_key(self, request)) is not None:
            self.cache.keep_statistics(key, gaussian)


def _family(request: Evidence[Any]) -> Evidence[Any]:
    """What requests share that differ in their count alone."""
    return request.resized(0) if isinstance(request, Counted) else request
