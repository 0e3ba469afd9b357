"""User errors: one line, with a remedy."""

from __future__ import annotations

import inspect

import pytest

from harness import errors
from harness.errors import UnknownName, UserError, suggestion


def test_problem_and_fix_are_joined_by_a_semicolon() -> None:
    assert str(UserError("the file x is empty", "fetch it again")) == "the file x is empty; fetch it again"


def test_without_a_fix_there_is_no_semicolon() -> None:
    assert str(UserError("the file x is empty")) == "the file x is empty"


def test_line_breaks_never_reach_the_user() -> None:
    assert str(UserError("a\n  b", "c\r\n\td")) == "a b; c d"


@pytest.mark.parametrize(
    "family", [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
)
def test_every_error_of_the_family_exits_with_2(family: type[Exception]) -> None:
    assert issubclass(family, UserError)
    assert family.exit_code == 2
    assert family.__doc__


def test_an_unknown_name_offers_the_near_ones() -> None:
    error = UnknownName("data set", "cifar", ["cifar10", "cifar100", "mnist"])
    assert str(error) == "unknown data set 'cifar'; did you mean 'cifar10' or 'cifar100'?"


def test_a_name_without_its_prefix_is_found() -> None:
    assert suggestion("d512", ["toy/d512", "toy/base"]) == "did you mean 'toy/d512'?"


def test_a_name_near_none_gets_the_list() -> None:
    assert suggestion("zzz", ["b", "a"]) == "choose from: a, b"


def test_a_long_list_is_cut_and_counted() -> None:
    assert suggestion("zzz", map(str, range(20)), most=3) == "choose from: 0, 1, 10, ... (20 in all)"


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert suggestion("zzz", []) == "there are none"


def test_a_given_fix_replaces_the_list() -> None:
    assert str(UnknownName("split", "val", ["train"], fix="see harness ls datasets")).endswith(
        "; see harness ls datasets"
    )
