"""What a data set hands over, and what a method is told and given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.contracts.specs import DatasetSpec, Kind
from harness.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DataRequest:
    """What a data set's `load` is asked for.

    :param spec: the data set's own spec: its files and their checksums, its classes and shape.
    :param root: the folder that holds all data sets' folders.
    :param split: one of the spec's splits.
    :param argument: what followed the colon in the data set's name, if anything.
    """

    spec: DatasetSpec
    root: Path
    split: str
    argument: str | None = None

    @property
    def name(self) -> str:
        """The data set's name, without its argument."""
        return self.spec.name


class NoSplit(DataError):
    """A split that a data set may have, but that the files at hand do not hold."""


@dataclass(frozen=True)
class Split:
    """One split, decoded, in memory.

    :param values: uint8 [N, C, H, W] for images, float32 [N, D] for points.
    :param labels: int64 [N], or None.
    :param classes: names, one a label; empty without labels.
    :param notes: facts for the record (a lossy format, a rounding rule).
    :param attributes: uint8 [N, A] of 0 and 1, what each item has and has not; or None.
    :param attribute_names: one a column, no two the same; empty without attributes.
    :raises DataError: where any of them is not so.
    """

    values: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    attributes: np.ndarray | None = None
    attribute_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points = self.values.ndim == 2 and self.values.dtype == np.float32
        images = self.values.ndim == 4 and self.values.dtype == np.uint8
        if not (points or images):
            raise DataError(f"a split holds uint8 NCHW or float32 ND, not {self.values.dtype} {self.values.shape}")
        if self.labels is not None:
            if self.labels.dtype != np.int64 or self.labels.shape != (len(self.values),):
                raise DataError(f"labels are int64 [N], not {self.labels.dtype} {self.labels.shape}")
            if len(self.labels) and not (self.labels.min() >= 0 and self.labels.max() < len(self.classes)):
                raise DataError(f"labels outside 0..{len(self.classes) - 1}")
        self._check_attributes()

    def _check_attributes(self) -> None:
        names = self.attribute_names
        if self.attributes is None:
            if names:
                raise DataError(f"{len(names)} attributes are named, and none is there")
            return
        shape = (len(self.values), len(names))
        if self.attributes.dtype != np.uint8 or self.attributes.shape != shape or not names:
            raise DataError(
                f"attributes are uint8 [N, A] with a name for each, here {shape}, "
                f"not {self.attributes.dtype} {self.attributes.shape}"
            )
        if len(set(names)) < len(names):
            raise DataError("two attributes have one name")
        if self.attributes.size and self.attributes.max() > 1:
            raise DataError(f"attributes are 0 or 1, not {self.attributes.max()}")

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def checksum(self) -> str:
        """See :func:`checksum_of`."""
        return checksum_of((self,))

    def subset(self, index: np.ndarray) -> Split:
        """The items at `index` [M], in that order."""
        return self._at(index)

    def rows(self, start: int, stop: int) -> Split:
        """The items from place `start` up to `stop`, which share memory with these."""
        return self._at(slice(start, stop))

    def _at(self, index: np.ndarray | slice) -> Split:
        labels = None if self.labels is None else self.labels[index]
        attributes = None if self.attributes is None else self.attributes[index]
        return replace(self, values=self.values[index], labels=labels, attributes=attributes)


def checksum_of(parts: Sequence[Split]) -> str:
    """SHA-256 of the decoded values, labels and attributes of splits that follow each other, as if they were one.

    Two copies of the same data agree, whatever file they came in.

    :param parts: at least one, all with labels or all without, and so of attributes.
    """
    first = parts[0].values
    digest = hashlib.sha256(f"{first.dtype}{(sum(map(len, parts)), *first.shape[1:])}".encode())
    columns = ([part.values for part in parts], [part.labels for part in parts], [part.attributes for part in parts])
    for column in columns:
        for rows in column:
            if rows is not None:
                digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Law:
    """An endless split: fresh points from a known law.

    :param draw: called with (generator, n), returns (values float32 [n, D], labels int64 [n]).
    :param identity: what fixes the law, in words; its checksum is made from it.
    """

    draw: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    classes: tuple[str, ...]
    identity: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the law's identity."""
        return hashlib.sha256(self.identity.encode()).hexdigest()

    def take(self, n: int, *seed: int | str) -> Split:
        """`n` points, fixed by the seed's parts."""
        from harness.randomness import keyed

        values, labels = self.draw(keyed("law", *seed), n)
        return Split(values.astype(np.float32), labels.astype(np.int64), self.classes)


@dataclass(frozen=True)
class Modes:
    """A mixture of Gaussians that is known.

    :param means: float64 [K, D].
    :param std: per axis, the same for every mode.
    :param weights: float64 [K], sums to 1.
    """

    means: np.ndarray
    std: float
    weights: np.ndarray


@dataclass(frozen=True)
class Problem:
    """What a method is told of the data before it builds its networks.

    :param shape: (C, H, W) after fitting, or (D,).
    :param classes: names of the labels; empty where there are none.
    :param n_train: items in the training split after subsetting; None for an endless law.
    :param attributes: names of the columns of `Batch.attributes`; empty where there are none.
    """

    dataset: str
    kind: Kind
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    n_train: int | None
    attributes: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number of labels; 0 where there are none."""
        return len(self.classes)


class Batch(NamedTuple):
    """A batch of real data on the run's device.

    :ivar images: float [N, C, H, W] in [-1, 1], or points [N, D].
    :ivar labels: int64 [N], or None.
    :ivar index: int64 [N], place in the training split (running number for an endless law).
    :ivar attributes: uint8 [N, A] of 0 and 1, in the order of `Problem.attributes`; or None.
    """

    images: Tensor
    labels: Tensor | None
    index: Tensor  # type: ignore[assignment]  # hides tuple.index, which nobody calls on a batch
    attributes: Tensor | None = None
