from __future__ import annotations

import hashlib

import numpy as np
import pytest

from harness.contracts.data import Law, Split
from harness.errors import DataError

VALUES = np.arange(2 * 4, dtype=np.uint8).reshape(2, 1, 2, 2)
LABELS = np.array([0, 1])


@pytest.mark.parametrize(
    "values", [VALUES.astype(np.float32), VALUES[0], np.zeros((3, 2)), np.zeros((3, 2), dtype=np.uint8)]
)
def test_other_types_and_shapes_are_refused(values) -> None:
    with pytest.raises(DataError, match="a split holds uint8 NCHW or float32 ND"):
        Split(values, None, ())


@pytest.mark.parametrize("labels", [np.array([0, 1], dtype=np.int32), np.array([0]), np.array([[0], [1]])])
def test_labels_of_another_type_or_number_are_refused(labels) -> None:
    with pytest.raises(DataError, match=r"labels are int64 \[N\]"):
        Split(VALUES, labels, ("a", "b"))


@pytest.mark.parametrize("labels", [[0, 2], [-1, 0]])
def test_labels_without_a_class_are_refused(labels) -> None:
    with pytest.raises(DataError, match=r"labels outside 0\.\.1"):
        Split(VALUES, np.array(labels), ("a", "b"))


def test_the_checksum_is_of_values_and_labels_and_nothing_else() -> None:
    split = Split(VALUES, LABELS, ("a", "b"), {"from": "here"})
    by_hand = hashlib.sha256(b"uint8(2, 1, 2, 2)" + VALUES.tobytes() + LABELS.tobytes()).hexdigest()
    assert split.checksum == by_hand
    assert Split(VALUES, LABELS, ("x", "y")).checksum == by_hand
    assert Split(VALUES, LABELS[::-1].copy(), ("a", "b")).checksum != by_hand
    assert Split(VALUES[::-1].copy(), LABELS, ("a", "b")).checksum != by_hand


def test_the_checksum_does_not_depend_on_the_memory_layout() -> None:
    turned = np.asfortranarray(VALUES.repeat(2, axis=0))[::2]
    assert Split(turned, None, ()).checksum == Split(VALUES, None, ()).checksum


def test_a_subset_keeps_order_labels_classes_and_notes() -> None:
    split = Split(VALUES, LABELS, ("a", "b"), {"from": "here"}).subset(np.array([1, 0, 1]))
    np.testing.assert_array_equal(split.values, VALUES[[1, 0, 1]])
    assert split.labels.tolist() == [1, 0, 1]
    assert (split.classes, split.notes) == (("a", "b"), {"from": "here"})


def test_a_law_is_known_by_its_identity() -> None:
    def draw(generator, n):
        return generator.standard_normal((n, 2)), np.zeros(n)

    law = Law(draw, ("a",), "normal")
    assert law.checksum == Law(draw, ("a",), "normal").checksum != Law(draw, ("a",), "other").checksum
    taken = law.take(5, "seed", 1)
    assert (taken.values.dtype, taken.labels.dtype, len(taken)) == (np.float32, np.int64, 5)
    np.testing.assert_array_equal(taken.values, law.take(5, "seed", 1).values)
    assert not np.array_equal(taken.values, law.take(5, "seed", 2).values)
