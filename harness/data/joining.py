"""Splits whose names are joined by +: all items of the first, then all of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.contracts.data import Law, Split
from harness.contracts.specs import DatasetSpec
from harness.errors import DataError, UnknownName

#: what stands between the names
PLUS = "+"


def parts_of(name: str) -> list[str]:
    """The splits that a name is made of: "train" of one, "train+unlabeled" of two."""
    return name.split(PLUS)


def check_split(spec: DatasetSpec, name: str) -> None:
    """A data set may have what the name says; whether the files at hand do, is known when they are read.

    :raises UnknownName: where one of its splits is none of the data set's.
    :raises DataError: where one is named twice.
    """
    parts = parts_of(name)
    for part in parts:
        if part not in spec.splits:
            raise UnknownName(f"split of data set '{spec.name}'", part, spec.splits)
    if len(set(parts)) < len(parts):
        raise DataError(f"split '{name}' of data set '{spec.name}' names a split twice")


def joined(parts: Mapping[str, Split | Law]) -> Split:
    """Several splits as one, which has labels where all of them have, and attributes where all of them have.

    :param parts: by name, in order.
    :raises DataError: where one never ends, or shapes, classes or names of attributes differ.
    """
    splits: Sequence[Split] = [part for part in parts.values() if isinstance(part, Split)]
    name = PLUS.join(parts)
    if len(splits) < len(parts):
        raise DataError(f"'{name}' cannot be joined: points of an endless law have no end for others to follow")
    if len({split.values.shape[1:] for split in splits}) > 1:
        raise DataError(f"'{name}' cannot be joined: the items are of several shapes")
    values = np.concatenate([split.values for split in splits])
    notes = {key: value for split in splits for key, value in split.notes.items()}
    labels = _rows([split.labels for split in splits])
    attributes = _rows([split.attributes for split in splits])
    if labels is not None and len({split.classes for split in splits}) > 1:
        raise DataError(f"'{name}' cannot be joined: the classes differ")
    if attributes is not None and len({split.attribute_names for split in splits}) > 1:
        raise DataError(f"'{name}' cannot be joined: the attributes differ")
    classes = () if labels is None else splits[0].classes
    names = () if attributes is None else splits[0].attribute_names
    return Split(values, labels, classes, notes, attributes, names)


def _rows(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The parts one after the other; None where one is not there."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None
