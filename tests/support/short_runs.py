"""Runs of a few steps, for what holds of every method."""

from __future__ import annotations

from typing import Any

import pytest

from harness import AdversarialSettings
from harness.catalog import Catalog
from harness.experiment import resolve

#: data that is always at hand, by kind
DATA = {"images": "digits", "points": "ring2d"}

SHORT = {"steps": 3, "batch_size": 12, "log_every": 1, "checkpoint_every": 1, "sample_every": 0}

#: of every kind of companion one, all at work from the first step
COMPANIONS = {
    "augmentation": {"name": "ada", "p": 0.5},
    "regulariser": {"name": "lecam", "start": 0},
    "penalty": "r1",
}


#: backbones whose discriminators refuse an augmentation
UNAUGMENTED = ("atlas",)


def dataset_for(catalog: Catalog, recipe: str) -> str:
    """The data at hand that a recipe's networks are for."""
    kind = catalog.model(backbone_of(catalog, recipe)).kind
    assert kind in catalog.method(catalog.recipe(recipe).method).kinds
    return DATA[kind]


def backbone_of(catalog: Catalog, recipe: str) -> str:
    """The name of a recipe's backbone."""
    model = catalog.recipe(recipe).settings.get("backbone", "biggan")
    return model if isinstance(model, str) else model["name"]


def short_recipes(catalog: Catalog) -> list[str]:
    """Every recipe that has a tiny scale."""
    methods = (catalog.method(name) for name in catalog.names("method"))
    return [recipe.id for method in methods for recipe in method.recipes if "tiny" in recipe.scales]


def first_of_each(catalog: Catalog) -> set[str]:
    """Of every method the first short recipe for images, and for points: one of each shape."""
    found: dict[tuple[str, str], str] = {}
    for recipe in short_recipes(catalog):
        found.setdefault((catalog.recipe(recipe).method, dataset_for(catalog, recipe)), recipe)
    return set(found.values())


def recipe_parameters(catalog: Catalog) -> list[Any]:
    """Every short recipe as a parameter of tests; all but the first of each shape are for those who have the time."""
    first = first_of_each(catalog)
    return [
        pytest.param(recipe, id=recipe, marks=() if recipe in first else pytest.mark.slow)
        for recipe in short_recipes(catalog)
    ]


def accompanied_recipe(catalog: Catalog, method: str) -> str | None:
    """The first short recipe of a method in which a discriminator sees images that may be augmented."""
    if not issubclass(catalog.load_spec("method", method, "settings"), AdversarialSettings):
        return None
    short = (recipe for recipe in short_recipes(catalog) if catalog.recipe(recipe).method == method)
    images = (recipe for recipe in short if dataset_for(catalog, recipe) == DATA["images"])
    return next((recipe for recipe in images if backbone_of(catalog, recipe) not in UNAUGMENTED), None)


def short_stages(catalog: Catalog, recipe: str, dataset: str) -> dict[str, object]:
    """Three steps for each stage that has steps of its own to set."""
    settings = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale="tiny").settings
    return {
        name: {"steps": SHORT["steps"]}
        for name in type(settings).model_fields
        if "steps" in getattr(type(getattr(settings, name)), "model_fields", {})
    }
