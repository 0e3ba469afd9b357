"""Runs of a few steps, for what holds of every method."""

from __future__ import annotations

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


def dataset_for(catalog: Catalog, recipe: str) -> str:
    """The data at hand that a recipe's networks are for."""
    model = catalog.recipe(recipe).settings.get("backbone", "biggan")
    kind = catalog.model(model if isinstance(model, str) else model["name"]).kind
    assert kind in catalog.method(catalog.recipe(recipe).method).kinds
    return DATA[kind]


def short_stages(catalog: Catalog, recipe: str, dataset: str) -> dict[str, object]:
    """Three steps for each stage that has steps of its own to set."""
    settings = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale="tiny").settings
    return {
        name: {"steps": SHORT["steps"]}
        for name in type(settings).model_fields
        if "steps" in getattr(type(getattr(settings, name)), "model_fields", {})
    }
