"""What the user means by a folder, an archive, an npz file or a name: a data set, or a file of statistics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.catalog import Catalog
from harness.data import LoadedDataset, Split, load_dataset
from harness.errors import DataError, EvaluationError, UnknownName
from harness.evaluation.reference_statistics.npz_file import array_names, holds_statistics


def is_statistics(text: str) -> bool:
    """Whether the user means a file of statistics and nothing else: an npz with `mu` and `sigma`, without images."""
    path = Path(text).expanduser()
    return path.is_file() and holds_statistics(path) and "arr_0" not in array_names(path)


def has_statistics(text: str) -> bool:
    """Whether the user means an npz that holds statistics, perhaps beside images (as ADM's reference batches do)."""
    path = Path(text).expanduser()
    return path.is_file() and holds_statistics(path)


def image_source(catalog: Catalog, text: str, root: Path) -> LoadedDataset:
    """The data set that `text` names, or the one that reads what lies at this path.

    A data set's name comes first; ``./NAME`` is the folder of that name.

    :raises UserError: where it is neither, or images cannot be read from it.
    """
    loaded = load_dataset(catalog, _name(catalog, text), root)
    if loaded.spec.kind != "images":
        raise EvaluationError(f"data set '{text}' holds {loaded.spec.kind}, and images are what can be scored here")
    return loaded


def _name(catalog: Catalog, text: str) -> str:
    base = text.partition(":")[0]
    if base in catalog.names("dataset"):
        catalog.dataset(text)  # an argument that is missing or too much is said here
        return text
    path = Path(text).expanduser()
    if path.is_dir():
        return f"folder:{path.absolute()}"
    if path.is_file():
        return f"{'npz' if path.suffix == '.npz' else 'folder'}:{path.absolute()}"
    if "/" in text or "." in text:
        raise DataError(f"there is no folder or file '{text}'")
    raise UnknownName("data set, folder or file", text, catalog.names("dataset"))


def whole(loaded: LoadedDataset, split: str | None) -> Split:
    """The images of a source: the split asked for, or all of them.

    :raises EvaluationError: where it is divided into splits and none is named.
    """
    if split is None and loaded.spec.argument is not None and loaded.has_split("test"):
        raise EvaluationError(f"{loaded.name} has the splits train and test", "name one of them with --generated-split")
    return loaded.finite(split or "train")


def aligned(split: Split, classes: tuple[str, ...]) -> Split:
    """Labels of generated images in the numbering of the real classes, where the names say how they correspond.

    Class folders correspond by name; the numbers of an npz correspond by number. Where neither fits, the labels mean
    something else than the real ones and are dropped, which the notes say.

    :raises EvaluationError: where the generated images have more classes than the real ones.
    """
    if split.labels is None or not classes or split.classes == classes:
        return split
    if set(split.classes) <= set(classes):
        number = np.array([classes.index(name) for name in split.classes], dtype=np.int64)
        return replace(split, labels=number[split.labels], classes=classes)
    if len(split.classes) > len(classes):
        raise EvaluationError(
            f"the generated images have {len(split.classes)} classes, the real ones {len(classes)}",
            "give labels of the real classes, or none",
        )
    if split.classes == tuple(map(str, range(len(split.classes)))):
        return replace(split, classes=classes)
    notes = {**split.notes, "labels": "left out: the names of the classes are not those of the real images"}
    return replace(split, labels=None, classes=(), notes=notes)
