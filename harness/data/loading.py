"""From a data set's name to its splits: loaded once, fitted, cut to a fraction, checked and described."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.catalog import Catalog
from harness.contracts.data import DataRequest, Law, Modes, NoSplit, Problem, Split, checksum_of
from harness.contracts.specs import DatasetSpec, ModelSpec
from harness.data.cutting import cut, uncut
from harness.data.fit import FittedShape, fit_images, fitted_shape, shape_beside
from harness.data.folds import (
    FOLDED,
    TEST,
    TRAIN,
    Fold,
    check_foldable,
    check_folded,
    check_trained_on,
    endless,
    without,
)
from harness.data.joining import check_split, joined, parts_of
from harness.errors import DataError, SettingsError
from harness.randomness import keyed

#: points drawn from an endless law where evaluation needs a finite real set
LAW_SET_SIZE = 50_000


@dataclass
class LoadedDataset:
    """A data set for one experiment; splits are read on first use.

    :param name: as typed, with its argument.
    :param fraction: share of what is trained on that is kept.
    :param fit: what is done to images; None for points.
    :param train_split: the split that is trained on.
    :param fold: which part of train and test together is the test split; None for the splits as they are stored.
    """

    name: str
    spec: DatasetSpec
    root: Path
    catalog: Catalog
    fraction: float = 1.0
    subset_seed: int = 0
    fit: FittedShape | None = None
    train_split: str = "train"
    fold: Fold | None = None
    _splits: dict[str, Split | Law] = field(default_factory=dict)
    _training: Split | Law | None = None
    _folds_checksum: str | None = None

    def split(self, name: str) -> Split | Law:
        """A whole split, fitted; the fraction does not apply (metrics use the full reference set).

        :param name: of one, or of several joined by +; with a fold, train or test.
        """
        if name not in self._splits:
            check_split(self.spec, name)
            parts = parts_of(name)
            if self.fold is not None:
                check_folded(name, self.fold)
                self._splits |= self._folded(self.fold)
            elif len(parts) == 1:
                self._splits[name] = self._fitted(self._load(name))
            else:
                self._splits[name] = joined({part: self.split(part) for part in parts})
        return self._splits[name]

    def has_split(self, name: str) -> bool:
        """Whether there is such a split: a folder of images need not be divided. What is there is read."""
        if any(part not in self.spec.splits for part in parts_of(name)):
            return False
        if self.fold is not None and name not in FOLDED:
            return False
        try:
            self.split(name)
        except NoSplit:
            return False
        return True

    @property
    def fitting(self) -> str:
        """What was done to make images fit, in words for the record; "none" for nothing."""
        return self.fit.describe() if self.fit else "none"

    def fit_beside(self, fit: str, side: int) -> None:
        """Make images fit others of `side` x `side` pixels; what was read before is fitted too.

        :raises SettingsError: where `fit` does not bring them to that size.
        """
        channels, height, width = self.spec.shape or _stored_shape(self)
        self.fit = shape_beside((channels, height, width), fit, side, self.name)
        self._splits = {name: self._fitted(read) for name, read in self._splits.items()}
        self._folds_checksum = None

    def training(self) -> Split | Law:
        """What the method trains on: the training split, cut to the fraction."""
        if self._training is None:
            whole = self.split(self.train_split)
            if isinstance(whole, Law) or self.fraction == 1.0:
                self._training = whole
            else:  # kept: its checksum is made once
                self._training = whole.subset(subset_index(len(whole), self.fraction, self.subset_seed))
        return self._training

    def finite(self, name: str) -> Split:
        """A split as a finite set: an endless law is sampled, with a seed of its own for each split."""
        split = self.split(name)
        return split.take(LAW_SET_SIZE, self.spec.name, name) if isinstance(split, Law) else split

    # -- for protocols, which all folds of one experiment share ------------------------------------

    def checksum(self, name: str) -> str:
        """What tells the items of a split from others: its checksum; with a fold, that of all parts as one."""
        return self.finite(name).checksum if self.fold is None else self.folds_checksum(self.fold)

    def count(self, name: str) -> int:
        """How many items of a split to measure by: all; with a fold, as many as every fold has.

        Folds differ by an item where the parts do not divide the whole, and what depends on counts would differ too.
        """
        found = len(self.finite(name))
        return found if self.fold is None else self.fold.least(self._items())[name]

    def training_checksum(self) -> str:
        """What tells the items trained on from others."""
        if self.fold is None:
            return self.training().checksum
        whole = self.folds_checksum(self.fold)
        if self.fraction == 1.0:
            return whole
        return hashlib.sha256(f"{whole}, fraction {self.fraction}, seed {self.subset_seed}".encode()).hexdigest()

    def training_count(self) -> int:
        """How many of the items trained on to measure by.

        :raises DataError: where they never end.
        """
        training = self.training()
        if isinstance(training, Law):
            raise DataError(f"data set '{self.name}' is an endless law: its training items cannot be counted")
        if self.fold is None:
            return len(training)
        return kept_of(self.fold.least(self._items())[TRAIN], self.fraction)

    def folds_checksum(self, fold: Fold) -> str:
        """The checksum of all parts as one, in stored order; kept."""
        if self._folds_checksum is None:
            self._folds_checksum = checksum_of(uncut(self.finite(TRAIN), self.finite(TEST), fold))
        return self._folds_checksum

    def _items(self) -> int:
        return len(self.finite(TRAIN)) + len(self.finite(TEST))

    # -- what is told and written ------------------------------------------------------------------

    def modes(self) -> Modes | None:
        """The mixture behind the data, where it is known."""
        if self.spec.modes is None:
            return None
        modes: Modes = self.catalog.load_spec("dataset", self.spec.name, "modes")()
        return modes

    def problem(self) -> Problem:
        """What a method is told."""
        training = self.training()
        if isinstance(training, Law):
            shape: tuple[int, ...] = tuple(training.take(1, "shape").values.shape[1:])
            return Problem(self.name, self.spec.kind, shape, training.classes, None)
        return Problem(
            self.name,
            self.spec.kind,
            training.values.shape[1:],
            training.classes,
            len(training),
            training.attribute_names,
        )

    def record(self) -> dict[str, Any]:
        """What the run's record says of the data."""
        training = self.training()
        finite = None if isinstance(training, Law) else training
        return {
            "name": self.name,
            "kind": self.spec.kind,
            "shape": list(self.problem().shape),
            "range": [-1.0, 1.0] if self.spec.kind == "images" else None,
            "classes": len(training.classes),
            "fit": self.fitting,
            "fraction": self.fraction,
            "subset_seed": self.subset_seed if self.fraction != 1.0 else None,
            "train_items": len(finite) if finite is not None else None,
            "train_checksum": training.checksum,
            **({} if self.fold is None else {"folds_checksum": self.folds_checksum(self.fold)}),
            "licence": self.spec.licence,
            "source": self.spec.source,
            "notes": dict(finite.notes) if finite is not None else {},
        }

    def _load(self, name: str) -> Split | Law:
        argument = self.name.partition(":")[2] or None
        request = DataRequest(self.spec, self.root, name, argument)
        split: Split | Law = self.catalog.load_spec("dataset", self.spec.name, "load")(request)
        if isinstance(split, Split) and len(split) == 0:
            raise DataError(f"split '{name}' of data set '{self.name}' is empty")
        return split

    def _folded(self, fold: Fold) -> dict[str, Split | Law]:
        """The splits as the fold has them, fitted."""
        check_foldable(self.spec, self.name, fold)
        found: list[Split] = []
        for name in FOLDED:
            try:
                stored = self._load(name)
            except NoSplit:
                raise without(name, self.name, fold) from None
            if isinstance(stored, Law):
                raise endless(self.name)
            found.append(stored)
        train, test = found
        return {name: self._fitted(part) for name, part in cut(train, test, fold, self.name).items()}

    def _fitted(self, split: Split | Law) -> Split | Law:
        if isinstance(split, Law) or self.fit is None:
            return split
        if split.values.shape[1:] != self.fit.before:
            raise DataError(f"images of '{self.name}' are {split.values.shape[1:]}, expected {self.fit.before}")
        return replace(split, values=fit_images(split.values, self.fit))


def load_dataset(
    catalog: Catalog,
    name: str,
    root: Path,
    *,
    fraction: float = 1.0,
    subset_seed: int = 0,
    fit: str = "none",
    backbone: str | None = None,
    train_split: str = "train",
    fold: Fold | None = None,
) -> LoadedDataset:
    """A data set made to fit a backbone (or left as it is where `backbone` is None).

    :raises SettingsError: points for an image backbone or the reverse, a size that the backbone cannot build, a
        fraction outside (0, 1], a fraction or a fold of an endless law, or a fold that cannot be cut.
    :raises DataError: files that are missing or broken.
    """
    spec = catalog.dataset(name)
    check_fraction(fraction)
    if fold is not None:
        check_foldable(spec, name, fold)
        check_trained_on(train_split, fold)
    loaded = LoadedDataset(name, spec, root, catalog, fraction, subset_seed, train_split=train_split, fold=fold)
    if backbone is not None:
        model = catalog.model(backbone)
        check_kind(catalog, model, spec, name)
        if spec.kind == "points" and fit != "none":
            raise SettingsError(f"data set '{name}' holds points, which fit={fit} cannot change", "leave fit out")
        if spec.kind == "images":
            shape = spec.shape or tuple(_stored_shape(loaded))
            loaded.fit = fitted_shape((shape[0], shape[1], shape[2]), fit, model.resolutions, backbone)
            # the shape of a folder is known by loading it: what was loaded is fitted, not read again
            loaded._splits = {split: loaded._fitted(read) for split, read in loaded._splits.items()}
    if fold is not None:
        loaded.split(train_split)  # what the files say of the fold is said before anything is made of them
    if fraction != 1.0 and isinstance(loaded.split(train_split), Law):
        raise SettingsError(f"data set '{name}' is an endless law: it has no fraction", "leave --fraction out")
    return loaded


def check_fraction(fraction: float) -> None:
    """A fraction keeps something, and at most all.

    :raises SettingsError: where it does not.
    """
    if not 0 < fraction <= 1:
        raise SettingsError(f"fraction must be above 0 and at most 1, not {fraction:g}")


def check_kind(catalog: Catalog, model: ModelSpec, data: DatasetSpec, dataset: str) -> None:
    """A backbone makes what the data set holds.

    :param dataset: the data set as the user calls it.
    :raises SettingsError: where it does not, offering one that does.
    """
    if model.kind != data.kind:
        others = [name for name in catalog.names("model") if catalog.model(name).kind == data.kind]
        raise SettingsError(
            f"backbone '{model.name}' makes {model.kind}, but data set '{dataset}' holds {data.kind}",
            f"use --set backbone={others[0]}" if others else None,
        )


def _stored_shape(loaded: LoadedDataset) -> tuple[int, ...]:
    split = loaded.split("train")
    assert isinstance(split, Split)  # images are always finite
    return split.values.shape[1:]


def subset_index(n: int, fraction: float, seed: int) -> np.ndarray:
    """Which items a fraction keeps: a uniform draw without replacement, in ascending order, fixed by the seed alone."""
    return np.sort(keyed("subset", seed, n).permutation(n)[: kept_of(n, fraction)])


def kept_of(n: int, fraction: float) -> int:
    """How many items a fraction keeps, at least one."""
    return max(1, round(n * fraction))
