"""Train and test as a fold cuts them, and put together again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.contracts.data import Split, checksum_of
from harness.data.cutting import cut, uncut
from harness.data.folds import Fold
from harness.data.joining import joined
from harness.errors import DataError, SettingsError


def numbered(start: int, stop: int, labels: list[int] | None = None) -> Split:
    """One pixel an image, which says its number; attributes are its two lowest bits."""
    numbers = np.arange(start, stop, dtype=np.uint8)
    bits = np.stack([numbers % 2, numbers // 2 % 2], axis=1)
    found = None if labels is None else np.array(labels, dtype=np.int64)
    return Split(numbers[:, None, None, None], found, () if labels is None else ("a", "b"), {}, bits, ("odd", "two"))


TRAIN, TEST = numbered(0, 7, [0, 1, 0, 1, 0, 1, 0]), numbered(7, 10, [1, 0, 1])


def numbers(split: Split) -> list[int]:
    found: list[int] = split.values[:, 0, 0, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("fold", "train", "test"),
    [
        (Fold(1, 3), [3, 4, 5, 6, 7, 8, 9], [0, 1, 2]),
        (Fold(2, 3), [0, 1, 2, 6, 7, 8, 9], [3, 4, 5]),
        (Fold(3, 3), [0, 1, 2, 3, 4, 5], [6, 7, 8, 9]),
        (Fold(10, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8], [9]),
    ],
)
def test_one_range_is_held_out_and_all_else_is_trained_on(fold: Fold, train: list[int], test: list[int]) -> None:
    found = cut(TRAIN, TEST, fold, "it")
    assert (numbers(found["train"]), numbers(found["test"])) == (train, test)
    for split in found.values():
        assert split.labels is not None
        assert split.attributes is not None
        assert split.labels.tolist() == [number % 2 for number in numbers(split)]
        assert split.attributes.tolist() == [[number % 2, number // 2 % 2] for number in numbers(split)]
        assert (split.classes, split.attribute_names) == (("a", "b"), ("odd", "two"))


def test_the_fold_that_is_the_test_split_leaves_both_as_they_are() -> None:
    train, test = numbered(0, 8, [0, 1] * 4), numbered(8, 10, [0, 1])
    found = cut(train, test, Fold(5, 5), "it")
    assert (found["train"].checksum, found["test"].checksum) == (train.checksum, test.checksum)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_was_cut_goes_together_again(number: int) -> None:
    found = cut(TRAIN, TEST, Fold(number, 3), "it")
    parts = uncut(found["train"], found["test"], Fold(number, 3))
    assert [number for part in parts for number in numbers(part)] == list(range(10))
    assert checksum_of(parts) == joined({"train": TRAIN, "test": TEST}).checksum


def test_a_class_that_lies_in_one_fold_is_named() -> None:
    train, test = numbered(0, 7, [0, 0, 1, 1, 1, 0, 0]), numbered(7, 10, [0, 0, 0])
    assert numbers(cut(train, test, Fold(3, 3), "it")["test"]) == [6, 7, 8, 9]
    with pytest.raises(SettingsError, match="fold 1/2 of data set 'it' would leave class 'b' without a training item"):
        cut(train, test, Fold(1, 2), "it")


def test_a_class_that_no_item_has_is_not_the_folds_doing() -> None:
    train, test = (replace(split, classes=("a", "b", "none")) for split in (TRAIN, TEST))
    assert len(cut(train, test, Fold(1, 2), "it")["train"]) == 5


def test_labels_that_one_split_lacks_are_lacking() -> None:
    found = cut(TRAIN, numbered(7, 10), Fold(1, 2), "it")
    assert [(split.labels, split.classes) for split in found.values()] == [(None, ())] * 2


def test_more_parts_than_items_and_splits_of_other_shapes_are_refused() -> None:
    with pytest.raises(SettingsError, match="has 10 items, which cannot be cut into 11"):
        cut(TRAIN, TEST, Fold(1, 11), "it")
    with pytest.raises(DataError, match="of several shapes"):
        cut(TRAIN, Split(np.zeros((3, 1, 2, 2), np.uint8), None, ()), Fold(1, 2), "it")
