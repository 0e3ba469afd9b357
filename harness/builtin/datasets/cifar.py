"""CIFAR-10 and CIFAR-100 in their python version: pickled batches, from the published archive or its folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.builtin.datasets.safe_pickle import loads
from harness.contracts import DataRequest, Split
from harness.data import Verified, read
from harness.errors import DataError

SIDE = 32
PIXELS = 3 * SIDE * SIDE


def load(request: DataRequest) -> Split:
    """A split; CIFAR-100 with its fine labels."""
    names = [file.name for file in request.spec.files[0].contents if is_in(file.name, request.split)]
    files = read(request.spec, names, request.root)
    parts = [parse(files[name], name, len(request.spec.classes or ())) for name in names]
    values = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    expected = request.spec.splits[request.split]
    if expected is not None and len(values) != expected:
        raise DataError(f"{files[names[0]].path} holds {len(values)} {request.split} images, but there are {expected}")
    return Split(values, labels, request.spec.classes or ())


def is_in(name: str, split: str) -> bool:
    """Whether a batch belongs to a split: "test_batch" and "test" to one, "data_batch_1" and "train" to the other."""
    return name.rpartition("/")[2].startswith("test") == (split == "test")


def parse(file: Verified, name: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """One pickled batch: images uint8 [N, 3, 32, 32], labels int64 [N].

    :raises DataError: where it is no such batch.
    """
    where = f"{file.path} ({name})"
    batch = loads(file.data, where)
    data = batch.get("data") if isinstance(batch, dict) else None
    labels = _labels(batch) if isinstance(batch, dict) else None
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        raise DataError(f"{where} is no CIFAR batch: 'data' is not uint8 [N, {PIXELS}]")
    if labels is None or len(labels) != len(data):
        raise DataError(f"{where} is no CIFAR batch: it has no list of {len(data)} labels")
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels.max() if labels.max() >= classes else labels.min()
        raise DataError(f"{where} holds label {wrong}, but there are {classes} classes (0..{classes - 1})")
    return data.reshape(-1, 3, SIDE, SIDE), labels


def _labels(batch: dict[Any, Any]) -> np.ndarray | None:
    labels = batch.get("fine_labels", batch.get("labels"))
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        return None
    return np.array(labels, dtype=np.int64)
