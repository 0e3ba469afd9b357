"""Sets of images or points as evidence: a method's samples, real items, stored files, outliers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from harness.contracts.capabilities import Samples
from harness.contracts.data import Split
from harness.contracts.stream import as_float
from harness.data.fit import fit_images, shape_beside
from harness.data.loading import LoadedDataset, load_dataset
from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Bench, Evidence, OfSet, SetEvidence
from harness.evaluation.sampling.blocks import BatchNormMode, collected, first_samples, generated_blocks
from harness.randomness import keyed

#: stored images that are handed on at once
ROWS = 1000


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
        with closing(self.samples(bench)) as parts:
            for samples in parts:
                yield samples.images

    def blocks_of(self, made: Samples) -> Generator[Tensor, None, None]:
        yield from made.images.split(self.block)

    def make(self, bench: Bench) -> Samples:
        """All samples, on the CPU."""
        with closing(self.samples(bench)) as parts:
            return collected(parts)

    def samples(self, bench: Bench) -> Generator[Samples, None, None]:
        """The samples block by block; what they were told is laid down on the bench once all are made."""
        if self.count < 1:
            raise EvaluationError(f"a generated set needs at least 1 sample, not {self.count}")
        told: list[Tensor] = []
        blocks = generated_blocks(
            bench.trained, seed=bench.seed, count=self.count, block=self.block, batch_norm=self.batch_norm
        )
        with closing(blocks) as parts:
            for samples in parts:
                if samples.conditions is not None:
                    told.append(samples.conditions.cpu())
                yield samples
        if told:
            bench.put(Conditions(self), torch.cat(told))


#: fixes the order in which real items are taken, so that a part of a split sorted by class is not one class
REAL_ORDER_SEED = 0


def order_of(count: int) -> np.ndarray:
    """The fixed random order of `count` stored items."""
    return keyed("real set", REAL_ORDER_SEED, count).permutation(count)


class PartOfSplit(SetEvidence[Split]):
    """The first `count` items of a split in a fixed random order. Subclasses are frozen dataclasses."""

    count: int

    @abstractmethod
    def source(self, bench: Bench) -> Split:
        """The whole split, as it is stored."""

    @abstractmethod
    def named(self, bench: Bench) -> str:
        """What to call it in an error."""

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> Self:
        changed: Any = self
        other: Self = replace(changed, count=count)
        return other

    def first(self, made: Split, count: int) -> Split:
        return made if count == len(made) else made.subset(np.arange(count))

    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        whole, index = self._chosen(bench)
        for rows in np.split(index, range(ROWS, len(index), ROWS)):  # never a second copy of the whole
            yield torch.from_numpy(whole.values[rows])

    def blocks_of(self, made: Split) -> Generator[Tensor, None, None]:
        yield from torch.from_numpy(made.values).split(ROWS)

    def make(self, bench: Bench) -> Split:
        whole, index = self._chosen(bench)
        return whole.subset(index)

    def labels(self, bench: Bench) -> np.ndarray | None:
        """Labels of the items, int64 [count], without their images; None where there are none."""
        whole, index = self._chosen(bench)
        return None if whole.labels is None else whole.labels[index]

    def _chosen(self, bench: Bench) -> tuple[Split, np.ndarray]:
        whole = self.source(bench)
        if not 1 <= self.count <= len(whole):
            raise EvaluationError(f"{self.named(bench)} has {len(whole)} items, not {self.count}")
        return whole, order_of(len(whole))[: self.count]


@dataclass(frozen=True)
class RealSet(PartOfSplit):
    """Real items."""

    split: str
    count: int

    def source(self, bench: Bench) -> Split:
        return bench.dataset.finite(self.split)

    def named(self, bench: Bench) -> str:
        return f"split '{self.split}' of data set '{bench.dataset.name}'"


@dataclass(frozen=True)
class OutlierSet(SetEvidence[Tensor]):
    """Images of another data set, or mixtures of them with images of this one (Cho 2025, section 4.3).

    Outliers are taken in a fixed random order, so that a part of a set sorted by class is not one class. Each is mixed,
    `intensity` times itself plus the rest, with the image of this data set that has the same number in stored order
    (counted round where there are more outliers), both in [-1, 1]; a mixture is never rounded to 8 bits.

    :param dataset: name of the other data set; its images are made to fit as this one's were.
    """

    dataset: str
    split: str
    intensity: float
    count: int

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> OutlierSet:
        return replace(self, count=count)

    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        outliers, partners = bench.get(OutlierSplit(self.dataset, self.split)), bench.dataset.finite(self.split)
        index = order_of(len(outliers))[: self.count]
        for rows in np.split(index, range(ROWS, len(index), ROWS)):
            mixed = as_float(torch.from_numpy(outliers.values[rows]))
            if self.intensity < 1.0:
                beside = as_float(torch.from_numpy(partners.values[rows % len(partners)]))
                mixed = self.intensity * mixed + (1.0 - self.intensity) * beside
            yield mixed

    def blocks_of(self, made: Tensor) -> Generator[Tensor, None, None]:
        yield from made.split(ROWS)

    def make(self, bench: Bench) -> Tensor:
        """All of them, float [N, C, H, W] in [-1, 1]."""
        return torch.cat(list(self.blocks(bench)))


@dataclass(frozen=True)
class Conditions(OfSet[Tensor]):
    """What each sample of a set was told, int64 [N]: a label only where the method says that its conditions are."""

    of: SetEvidence[Any]

    def make(self, bench: Bench) -> Tensor:
        """Along with features of the samples, where some are still to be made; else by sampling anew."""
        if (along := self._along(bench)) is not None:
            bench.get(along)
            return bench.get(self)  # laid down on the way, if the method is told any
        found: Any
        if isinstance(self.of, PartOfSplit):
            found = self.of.labels(bench)
        elif isinstance(self.of, GeneratedSet) and not bench.holds(self.of):
            told = [part.conditions.cpu() for part in self.of.samples(bench) if part.conditions is not None]
            found = torch.cat(told) if told else None
        else:
            found = bench.get(self.of).conditions
        if found is None:
            raise EvaluationError("the method is told no conditions")
        return torch.as_tensor(found)

    def _along(self, bench: Bench) -> OfSet[Any] | None:
        """What is expected of the same samples, passes over them, and is not made yet."""
        if not isinstance(self.of, GeneratedSet) or bench.holds(self.of):
            return None
        wanted = [request for request in bench.outstanding() if isinstance(request, OfSet) and request.passes_over]
        return next((each for each in wanted if each.of.resized(0) == self.of.resized(0)), None)


@dataclass(frozen=True)
class OutlierSplit(Evidence[Split]):
    """A split of another data set, made to fit as this one was; read once."""

    dataset: str
    split: str

    def make(self, bench: Bench) -> Split:
        return outlier_split(bench.dataset, self.dataset, self.split)


def outlier_split(beside: LoadedDataset, name: str, split: str) -> Split:
    """A split of another data set, its images made to fit as those of `beside` were.

    Its notes say which `split` was taken, the training split where there is no other, and the `fit`.

    :raises EvaluationError: where they are of another kind, or cannot be made to fit.
    """
    other = load_dataset(beside.catalog, name, beside.root)
    if other.spec.kind != beside.spec.kind or beside.spec.kind != "images":
        raise EvaluationError(
            f"outliers are images: '{name}' holds {other.spec.kind}, '{beside.name}' {beside.spec.kind}"
        )
    which = split if other.has_split(split) else "train"  # the user's own files may lie in one heap
    found = other.finite(which)
    found = replace(found, notes={**found.notes, "split": which})
    stored, wanted = found.values.shape[1:], beside.finite(split).values.shape[1:]
    if stored[0] != wanted[0]:
        raise EvaluationError(
            f"images of '{name}' have {stored[0]} channels, those of '{beside.name}' {wanted[0]}",
            "name data sets of the same channels in evaluation.outliers",
        )
    if stored == wanted:
        return found
    how = beside.fit.how if beside.fit is not None and beside.fit.how != "none" else "resize"
    way = "resize" if how == "crop" else how
    if wanted[1] != wanted[2]:
        raise EvaluationError(f"images of '{beside.name}' are not square, and nothing is made to fit them")
    fit = shape_beside((stored[0], stored[1], stored[2]), way, wanted[1], name)
    return replace(found, values=fit_images(found.values, fit), notes={**found.notes, "fit": fit.describe()})
