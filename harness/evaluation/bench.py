"""The bench: what evidence is made from, and where it lies once made."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from harness.evaluation.evidence import Counted, Evidence, SetEvidence
from harness.evaluation.extractors import Extractor, open_extractor

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.data.loading import LoadedDataset

T = TypeVar("T")


class Bench:
    """One trained method beside one data set.

    :ivar trained: the object with capabilities.
    :ivar dataset: what it is held against.
    :ivar seed: the seed of the run, which fixes every sample.
    """

    def __init__(
        self, trained: Any, dataset: LoadedDataset, catalog: Catalog, seed: int, device: torch.device | str
    ) -> None:
        self.trained = trained
        self.dataset = dataset
        self.catalog = catalog
        self.seed = seed
        self.device = torch.device(device)
        self._made: dict[Evidence[Any], Any] = {}
        self._count: dict[Evidence[Any], int] = {}
        self._expected: dict[Evidence[Any], int] = {}
        self._extractors: dict[str, Extractor] = {}

    def extractor(self, name: str) -> Extractor:
        """The feature network called `name`, opened once."""
        if name not in self._extractors:
            self._extractors[name] = open_extractor(self.catalog, name, self.device)
        return self._extractors[name]

    def expect(self, requests: Iterable[Evidence[Any]]) -> None:
        """Say what will be asked for, so that the largest count is made at once and images are passed over once."""
        for request in requests:
            family = _family(request)
            count = request.items() if isinstance(request, Counted) else 0
            self._expected[family] = max(count, self._expected.get(family, 0))

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
        """Lay down evidence that was made along the way."""
        family = _family(request)
        self._made[family] = made
        self._count[family] = request.items() if isinstance(request, Counted) else 0

    def blocks(self, request: SetEvidence[Any]) -> Generator[Tensor, None, None]:
        """A set's images block by block; it is stored only where somebody wants the set itself."""
        family = _family(request)
        if family in self._made or family in self._expected:
            return request.blocks_of(self.get(request))
        return request.blocks(self)


def _family(request: Evidence[Any]) -> Evidence[Any]:
    """What requests share that differ in their count alone."""
    return request.resized(0) if isinstance(request, Counted) else request
