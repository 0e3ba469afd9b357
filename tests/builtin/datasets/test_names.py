"""Class names in the order of the labels, against torchvision's lists and the order in which they were published."""

from __future__ import annotations

import pytest
from torchvision.datasets import KMNIST, FashionMNIST

from harness.builtin.datasets import names


def test_names_are_torchvisions_in_its_order() -> None:
    assert list(names.FASHION) == FashionMNIST.classes
    assert list(names.KUZUSHIJI) == KMNIST.classes


def test_a_digit_is_its_label_and_a_stacked_one_has_three() -> None:
    assert [int(name) for name in names.DIGITS] == list(range(10))
    assert [int(name) for name in names.STACKED] == list(range(1000))
    assert {len(name) for name in names.STACKED} == {3}


@pytest.mark.parametrize(("of", "count"), [("CIFAR10", 10), ("STL10", 10), ("CIFAR100", 100)])
def test_labels_of_the_tiny_images_follow_the_alphabet(of: str, count: int) -> None:
    found = list(getattr(names, of))
    assert len(set(found)) == count
    assert found == sorted(found)


def test_two_data_sets_share_nine_classes_under_other_labels() -> None:
    """STL-10 has CIFAR-10's classes with a monkey for the frog (Coates et al., 2011); its file says "car"."""
    renamed = {"automobile": "car"}
    theirs = {renamed.get(name, name) for name in names.CIFAR10}
    assert (theirs - {*names.STL10}, {*names.STL10} - theirs) == ({"frog"}, {"monkey"})
