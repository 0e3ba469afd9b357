"""Folds: training and test items together are cut into parts in stored order, of which one is held out at a time.

With a fold there are two splits: what is held out is "test", all the rest is "train".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.contracts.specs import DatasetSpec
from harness.errors import SettingsError

TRAIN, TEST = "train", "test"

#: the splits that are cut anew, in the order in which they are joined
FOLDED = (TRAIN, TEST)

#: how a fold is written, as a pattern of JSON Schema too; that I is at most N and N at least 2 is beyond it
WRITTEN = "^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}$"


@dataclass(frozen=True)
class Fold:
    """Which part is held out; written ``I/N``.

    :param number: of the part, from 1 to `of`.
    :param of: how many parts there are, at least 2.
    :raises SettingsError: where there is no such part.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if self.of < 2 or not 1 <= self.number <= self.of:
            raise _no_fold(str(self))

    @classmethod
    def parse(cls, text: str) -> Fold:
        """The fold that ``I/N`` says, in decimal digits and without anything around them.

        :raises SettingsError: for any other text.
        """
        if not re.fullmatch(WRITTEN, text):
            raise _no_fold(text)
        number, _, of = text.partition("/")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def file_name(self) -> str:
        """How a path spells it, in which a slash would part folders: ``fold3of7``."""
        return f"fold{self.number}of{self.of}"

    def held_out(self, items: int) -> tuple[int, int]:
        """Of so many items, the place of the first that is held out, and that of the first after them."""
        return items * (self.number - 1) // self.of, items * self.number // self.of

    def least(self, items: int) -> dict[str, int]:
        """Of so many items, how many each split has at least, whichever part is held out."""
        largest = -(-items // self.of)
        return {TRAIN: items - largest, TEST: items // self.of}


def _no_fold(text: str) -> SettingsError:
    return SettingsError(f"a fold is I/N with I from 1 to N and N at least 2, not '{text}'", "for example 3/7")


def check_foldable(spec: DatasetSpec, dataset: str, fold: Fold) -> None:
    """A data set may be cut so, as far as its spec says; what the files say is known when they are read.

    :param dataset: as the user calls it.
    :raises SettingsError: where it has no training or no test split, or fewer items than parts.
    """
    for name in FOLDED:
        if name not in spec.splits:
            raise without(name, dataset, fold)
    sizes = [spec.splits[name] for name in FOLDED]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes):
        check_enough(sum(known), dataset, fold)


def check_folded(split: str, fold: Fold) -> None:
    """A split is one of those that there are with a fold.

    :raises SettingsError: where it is not.
    """
    if split not in FOLDED:
        raise SettingsError(
            f"split '{split}' cannot be had with fold {fold}, which leaves 'train' and 'test' alone",
            "leave --fold out, or name one of them",
        )


def check_trained_on(split: str, fold: Fold) -> None:
    """What is trained on is what the fold leaves for it.

    :raises SettingsError: where it is not.
    """
    if split != TRAIN:
        raise SettingsError(
            f"split '{split}' cannot be trained on with fold {fold}, which leaves 'train' for that", "leave --fold out"
        )


def without(split: str, dataset: str, fold: Fold) -> SettingsError:
    """What is wrong with a fold of data that lacks a split."""
    return SettingsError(
        f"fold {fold} is cut from train and test together, and data set '{dataset}' has no {split} split",
        "leave --fold out",
    )


def endless(dataset: str) -> SettingsError:
    """What is wrong with a fold of a law."""
    return SettingsError(f"data set '{dataset}' is an endless law: it has no folds", "leave --fold out")


def check_enough(items: int, dataset: str, fold: Fold) -> None:
    """There is an item for each part.

    :raises SettingsError: where there is not.
    """
    if fold.of > items:
        raise SettingsError(f"data set '{dataset}' has {items} items, which cannot be cut into {fold.of} folds")
