from __future__ import annotations

import hashlib

import numpy as np
import pytest

from harness.contracts.data import Law, Split, checksum_of
from harness.errors import DataError

VALUES = np.arange(2 * 4, dtype=np.uint8).reshape(2, 1, 2, 2)
LABELS = np.array([0, 1])
ATTRIBUTES = np.array([[0, 1, 1], [1, 0, 1]], dtype=np.uint8)
NAMES = ("hat", "beard", "smile")


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


# -- attributes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "names", "said"),
    [
        (ATTRIBUTES.astype(np.int64), NAMES, r"attributes are uint8 \[N, A\] with a name for each, here \(2, 3\)"),
        (ATTRIBUTES[:1], NAMES, r"not uint8 \(1, 3\)"),
        (ATTRIBUTES, NAMES[:2], r"here \(2, 2\), not uint8 \(2, 3\)"),
        (ATTRIBUTES[:, 0], NAMES[:1], r"not uint8 \(2,\)"),
        (ATTRIBUTES[:, :0], (), r"attributes are uint8"),
        (ATTRIBUTES * 2, NAMES, "attributes are 0 or 1, not 2"),
        (ATTRIBUTES, ("hat", "beard", "hat"), "two attributes have one name"),
        (None, NAMES, "3 attributes are named, and none is there"),
    ],
)
def test_attributes_that_cannot_be_are_refused(attributes, names, said) -> None:
    with pytest.raises(DataError, match=said):
        Split(VALUES, LABELS, ("a", "b"), {}, attributes, names)


def test_a_subset_keeps_attributes_and_their_names() -> None:
    split = Split(VALUES, LABELS, ("a", "b"), {}, ATTRIBUTES, NAMES).subset(np.array([1, 0, 1]))
    assert split.attributes is not None
    assert split.attributes.tolist() == [[1, 0, 1], [0, 1, 1], [1, 0, 1]]
    assert split.attribute_names == NAMES


def test_attributes_are_part_of_the_checksum_and_their_names_are_not() -> None:
    plain = hashlib.sha256(b"uint8(2, 1, 2, 2)" + VALUES.tobytes() + LABELS.tobytes())
    assert Split(VALUES, LABELS, ("a", "b")).checksum == plain.hexdigest()
    plain.update(ATTRIBUTES.tobytes())
    assert Split(VALUES, LABELS, ("a", "b"), {}, ATTRIBUTES, NAMES).checksum == plain.hexdigest()
    assert Split(VALUES, LABELS, ("a", "b"), {}, ATTRIBUTES, NAMES[::-1]).checksum == plain.hexdigest()


# -- parts -----------------------------------------------------------------------------------------


def test_rows_are_views() -> None:
    split = Split(VALUES, LABELS, ("a", "b"), {"from": "here"}, ATTRIBUTES, NAMES)
    rows = split.rows(1, 2)
    assert rows.values.tolist() == VALUES[1:].tolist()
    assert (rows.labels.tolist(), rows.attributes.tolist()) == ([1], [[1, 0, 1]])
    assert (rows.classes, rows.notes, rows.attribute_names) == (("a", "b"), {"from": "here"}, NAMES)
    assert np.shares_memory(rows.values, VALUES)


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_parts_have_the_checksum_of_the_whole(cut: int) -> None:
    for split in (Split(VALUES, None, ()), Split(VALUES, LABELS, ("a", "b"), {}, ATTRIBUTES, NAMES)):
        assert checksum_of((split.rows(0, cut), split.rows(cut, 2))) == split.checksum
        assert checksum_of((split.rows(1, 2), split.rows(0, 1))) != split.checksum
