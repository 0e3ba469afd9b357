"""A spec that promises what cannot be is refused when it is registered."""

from __future__ import annotations

from typing import Any

import pytest

from harness import MethodSpec, PenaltySpec, Recipe
from harness.contracts.spec_rules import problem_with


def penalty(name: Any) -> PenaltySpec:
    return PenaltySpec(name=name, summary="-", penalty="math:sqrt")


def recipe(identifier: str, method: str = "toy") -> Recipe:
    return Recipe(id=identifier, method=method, summary="-")


def method(*recipes: Any) -> MethodSpec:
    return MethodSpec(name="toy", summary="-", settings="m:S", method="m:M", recipes=recipes)


@pytest.mark.parametrize("name", ["r1", "fashion_mnist", "inception-tf", "v1.5+changed", "R1"])
def test_names_that_can_be_typed_are_taken(name: str) -> None:
    assert problem_with(penalty(name)) is None


@pytest.mark.parametrize("name", ["", "two words", "a:b", "a/b", "../up", "-x", "naïve", None, 7])
def test_names_that_cannot_are_refused(name: Any) -> None:
    assert problem_with(penalty(name)) == "a name is made of letters, digits, and . _ + -"


def test_a_method_with_recipes_of_its_own_is_taken() -> None:
    assert problem_with(method(recipe("toy/a"), recipe("toy/b-d512"))) is None


@pytest.mark.parametrize(
    ("recipes", "said"),
    [
        ((), "a method needs at least one recipe"),
        ((recipe("toy/a"), recipe("toy/b", method="other")), "recipe 'toy/b' says that it belongs to method 'other'"),
        ((recipe("a"),), "recipe id 'a' must be toy/VARIANT"),
        ((recipe("toy/"),), "recipe id 'toy/' must be toy/VARIANT"),
        ((recipe("toy/a/b"),), "recipe id 'toy/a/b' must be toy/VARIANT"),
        ((recipe("other/a"),), "recipe id 'other/a' must be toy/VARIANT"),
        (("toy/a",), "recipes holds a str, not a Recipe"),
    ],
)
def test_recipes_that_do_not_belong_are_refused(recipes: tuple[Any, ...], said: str) -> None:
    assert problem_with(method(*recipes)) == said
