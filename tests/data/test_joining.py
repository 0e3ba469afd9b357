from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.contracts.data import Law, Split
from harness.data.joining import joined
from harness.data.loading import load_dataset
from harness.errors import DataError, UnknownName


def split_of(start: int, count: int, *, labelled: bool = True, classes: str = "ab", side: int = 2) -> Split:
    """Images of one number each, from `start` on; their labels are 0 and 1 in turn."""
    numbers = np.arange(start, start + count, dtype=np.uint8)
    values = np.broadcast_to(numbers[:, None, None, None], (count, 1, side, side)).copy()
    labels = np.arange(count) % 2 if labelled else None
    return Split(values, labels, tuple(classes) if labelled else (), {f"from {start}": count})


def test_items_follow_each_other_with_their_labels_and_notes() -> None:
    found = joined({"one": split_of(0, 3), "two": split_of(10, 2)})
    assert found.values[:, 0, 0, 0].tolist() == [0, 1, 2, 10, 11]
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 0, 0, 1]
    assert found.classes == ("a", "b")
    assert found.notes == {"from 0": 3, "from 10": 2}


def test_labels_that_some_lack_are_lacking() -> None:
    found = joined({"one": split_of(0, 3), "two": split_of(10, 2, labelled=False)})
    assert (len(found), found.labels, found.classes) == (5, None, ())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (split_of(0, 2, classes="xy"), "the classes differ"),
        (split_of(0, 2, side=3), "of several shapes"),
        (Law(lambda _, n: (np.zeros((n, 2)), np.zeros(n)), ("a",), "nothing"), "endless law"),
    ],
)
def test_what_does_not_go_together_is_refused(other: Split | Law, said: str) -> None:
    with pytest.raises(DataError, match=rf"'one\+two' cannot be joined: .*{said}"):
        joined({"one": split_of(0, 3), "two": other})


def test_a_data_set_joins_what_its_name_says_and_reads_each_part_once(made_up, calls, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path)
    both = data.split("train+test")
    assert both.values[:, 0, 0, 0].tolist() == [*range(40), *range(10)]
    assert data.split("train+test") is both
    assert both.checksum != data.split("test+train").checksum
    assert [call.split for call in calls] == ["train", "test"]


def test_joined_images_are_made_to_fit_once(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, backbone="pixels8", fit="pad")
    assert data.split("train+test").values.shape == (50, 1, 8, 8)


def test_a_method_can_be_trained_on_several_splits(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, train_split="train+test")
    assert data.training() is data.split("train+test")
    assert data.problem().n_train == 50
    assert data.record()["train_items"] == 50
    half = load_dataset(made_up, "squares", tmp_path, train_split="train+test", fraction=0.5)
    assert (len(half.training()), len(half.split("train+test"))) == (25, 50)


def test_names_that_no_split_has_offer_those_that_have_one(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path)
    assert data.has_split("train+test")
    assert not data.has_split("train+tets")
    with pytest.raises(UnknownName, match="unknown split of data set 'squares' 'tets'; did you mean 'test'"):
        data.split("train+tets")
    with pytest.raises(DataError, match=r"'test\+test' of data set 'squares' names a split twice"):
        data.split("test+test")


def with_attributes(split: Split, names: tuple[str, ...] = ("odd",)) -> Split:
    """The same images, of each whether its number is odd."""
    return replace(split, attributes=split.values[:, 0, 0, :1] % 2, attribute_names=names)


def test_attributes_follow_each_other_where_all_have_them() -> None:
    one, two = split_of(0, 3), split_of(11, 2, labelled=False)
    found = joined({"one": with_attributes(one), "two": with_attributes(two)})
    assert found.attributes is not None
    assert (found.attributes.tolist(), found.attribute_names) == ([[0], [1], [0], [1], [0]], ("odd",))
    assert found.labels is None
    some = joined({"one": with_attributes(one), "two": split_of(11, 2)})
    assert (some.attributes, some.attribute_names) == (None, ())
    assert some.labels is not None
    with pytest.raises(DataError, match=r"'one\+two' cannot be joined: the attributes differ"):
        joined({"one": with_attributes(one), "two": with_attributes(two, ("uneven",))})
