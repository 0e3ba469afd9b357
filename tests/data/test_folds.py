"""Which part of the whole a fold holds out, how it is written, and what cannot be one."""

from __future__ import annotations

import re

import pytest

from harness.catalog import Catalog
from harness.data.folds import WRITTEN, Fold, check_enough, check_foldable, check_folded, check_trained_on
from harness.errors import SettingsError


@pytest.mark.parametrize("text", ["1/2", "2/2", "3/7", "10/12", "999999999/999999999"])
def test_what_is_written_is_read_back(text: str) -> None:
    assert str(Fold.parse(text)) == text


WRONG = ["", "3", "3/", "/7", "0/7", "8/7", "1/1", "-1/7", "3/-7", "+3/7", "3/7/1", " 3/7", "3/7\n", "3 / 7", "3.0/7"]
WRONG += ["a/b", "²/7", "٣/7", "03/7", "3/07", "1/9999999999", "3of7"]


@pytest.mark.parametrize("text", WRONG)
def test_all_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^a fold is I/N with I from 1 to N and N at least 2, not '.*for example"):
        Fold.parse(text)


@pytest.mark.parametrize(("number", "of"), [(0, 3), (4, 3), (1, 1), (-1, 2)])
def test_no_such_part_can_be_made(number: int, of: int) -> None:
    with pytest.raises(SettingsError, match="a fold is I/N"):
        Fold(number, of)


def test_the_pattern_says_the_same_but_for_the_sizes() -> None:
    assert {text for text in WRONG if re.fullmatch(WRITTEN, text)} == {"8/7", "1/1"}


def test_a_path_spells_it_without_a_slash() -> None:
    assert Fold(3, 7).file_name == "fold3of7"


def test_the_last_of_seven_folds_of_70000_is_the_last_10000() -> None:
    assert [Fold(number, 7).held_out(70_000) for number in (1, 4, 7)] == [
        (0, 10_000),
        (30_000, 40_000),
        (60_000, 70_000),
    ]


@pytest.mark.parametrize(("items", "of"), [(1797, 7), (10, 3), (7, 7), (2, 2), (100, 6)])
def test_folds_follow_each_other_and_leave_nothing_out(items: int, of: int) -> None:
    ranges = [Fold(number, of).held_out(items) for number in range(1, of + 1)]
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == items
    sizes = [stop - start for start, stop in ranges]
    assert Fold(1, of).least(items) == {"train": items - max(sizes), "test": min(sizes)}


def test_an_item_for_each_part_is_needed() -> None:
    check_enough(5, "few", Fold(1, 5))
    with pytest.raises(SettingsError, match="data set 'few' has 5 items, which cannot be cut into 6 folds"):
        check_enough(5, "few", Fold(1, 6))


def test_what_the_spec_says_is_enough_to_refuse(catalog: Catalog) -> None:
    for name in ("digits", "gaussian_clusters"):  # of an endless law sizes are unknown, and said when it is read
        check_foldable(catalog.dataset(name), name, Fold(2, 1797))
    with pytest.raises(SettingsError, match="'digits' has 1797 items, which cannot be cut into 1798"):
        check_foldable(catalog.dataset("digits"), "digits", Fold(2, 1798))
    with pytest.raises(SettingsError, match="data set 'npz:x' has no test split; leave --fold out"):
        check_foldable(catalog.dataset("npz:x"), "npz:x", Fold(1, 2))


def test_there_are_two_splits() -> None:
    for name in ("train", "test"):
        check_folded(name, Fold(1, 2))
    for name in ("unlabeled", "train+test", "both"):
        with pytest.raises(SettingsError, match=f"split '{re.escape(name)}' cannot be had with fold 1/2"):
            check_folded(name, Fold(1, 2))


def test_only_what_is_left_for_it_is_trained_on() -> None:
    check_trained_on("train", Fold(1, 2))
    for name in ("test", "train+test"):
        with pytest.raises(SettingsError, match=f"split '{re.escape(name)}' cannot be trained on with fold 1/2"):
            check_trained_on(name, Fold(1, 2))
