"""Specs are frozen data; a tolerance becomes a margin, and a data set chooses among a method's recipes."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields
from typing import Any

import pytest

from harness.contracts.specs import DatasetSpec, MethodSpec, MetricSpec, Recipe, Scale, Spec, Tolerance


@pytest.mark.parametrize(
    ("tolerance", "printed", "margin"),
    [
        (Tolerance(relative=0.05), 20.0, 1.0),
        (Tolerance(absolute=0.02), 20.0, 0.02),
        (Tolerance(relative=0.25, absolute=0.005), 0.01, 0.005),  # the larger of the two
        (Tolerance(relative=0.25, absolute=0.005), 0.1, 0.025),
        (Tolerance(relative=0.1), -3.0, 0.3),  # a share of the size, whatever the sign
        (Tolerance(), 5.0, 0.0),
    ],
)
def test_the_margin_is_the_larger_of_the_share_and_the_amount(
    tolerance: Tolerance, printed: float, margin: float
) -> None:
    assert tolerance.margin(printed) == pytest.approx(margin)


def method(*recipes: tuple[str, tuple[str, ...]]) -> MethodSpec:
    made = tuple(Recipe(id=f"toy/{name}", method="toy", summary="-", datasets=used_on) for name, used_on in recipes)
    return MethodSpec(name="toy", summary="-", settings="m:S", method="m:M", recipes=made)


def test_of_several_recipes_for_the_data_the_first_is_taken_and_else_the_first_of_all() -> None:
    toy = method(("a", ()), ("b", ("mnist", "cifar10")), ("c", ("cifar10", "stl10")))
    chosen = {dataset: toy.default_recipe(dataset).id for dataset in ("mnist", "cifar10", "stl10", "digits", "mnis")}
    assert chosen == {"mnist": "toy/b", "cifar10": "toy/b", "stl10": "toy/c", "digits": "toy/a", "mnis": "toy/a"}


@pytest.mark.parametrize("cls", [*Spec.__args__, Recipe, Scale, Tolerance], ids=lambda cls: cls.__name__)
def test_nobody_changes_what_was_registered(cls: Any) -> None:
    needed = [field.name for field in fields(cls) if field.default is field.default_factory is MISSING]
    spec = cls(**dict.fromkeys(needed, "-"))
    with pytest.raises(FrozenInstanceError):
        setattr(spec, fields(cls)[0].name, "other")
    with pytest.raises(TypeError, match="positional"):
        cls("-")


def test_what_was_left_out_cannot_be_filled_in_for_all_others() -> None:
    dataset = DatasetSpec(
        name="things", summary="-", load="m:f", kind="points", shape=(2,), classes=None, splits={},
        licence="-", source="-",
    )  # fmt: skip
    metric = MetricSpec(name="n", summary="-", metric="m:M", names={"n": None})
    recipe = Recipe(id="toy/a", method="toy", summary="-")
    left_out = [dataset.defaults, metric.moves, metric.tolerances, recipe.settings, recipe.on, recipe.scales]
    for mapping in [*left_out, Scale().settings, Scale().on]:
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["steps"] = 3  # type: ignore[index]
