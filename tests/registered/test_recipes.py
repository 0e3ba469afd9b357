"""Every registered recipe resolves at every scale, for every data set it names, and builds without any data."""

from __future__ import annotations

import pytest
import torch

from harness.catalog import Catalog, open_catalog
from harness.cli.describe import default_dataset, described_problem
from harness.contracts.capabilities import Trained
from harness.contracts.settings import MethodSettings, Settings
from harness.contracts.specs import Recipe
from harness.experiment import resolve
from harness.overrides import setting_keys
from harness.training.build import build_method
from harness.training.cost import network_costs
from harness.training.runtime import Runtime

CATALOG = open_catalog()
RECIPES = CATALOG.recipes()


def scales(recipe: Recipe) -> list[str]:
    return ["paper", *recipe.scales]


def cases() -> list[tuple[str, str, str]]:
    """Recipe, scale and data set; a data set whose shape depends on its files cannot be built for without them."""
    found = []
    for recipe in RECIPES:
        named = [name for name in recipe.datasets if CATALOG.all("dataset") and _shaped(name)]
        default = default_dataset(CATALOG, CATALOG.method(recipe.method), recipe.id)
        for scale in scales(recipe):
            found += [(recipe.id, scale, dataset) for dataset in dict.fromkeys([*named, default])]
    return found


def _shaped(name: str) -> bool:
    specs = {spec.name: spec for spec in CATALOG.all("dataset")}
    return name in specs and getattr(specs[name], "shape", None) is not None


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_it_names_data_sets_that_exist_and_its_source(recipe: Recipe) -> None:
    assert set(recipe.datasets) | set(recipe.on) <= set(CATALOG.names("dataset"))
    for scale in recipe.scales.values():
        assert set(scale.on) <= set(CATALOG.names("dataset"))
    assert recipe.summary
    assert recipe.source


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_what_it_fixes_are_settings_that_it_sets(recipe: Recipe) -> None:
    cls = CATALOG.load_spec("method", recipe.method, "settings")
    assert set(recipe.fixed) <= set(setting_keys(cls))
    assert set(recipe.fixed) <= set(recipe.settings)


@pytest.mark.parametrize(("recipe", "scale", "dataset"), cases())
def test_it_resolves_and_builds_on_the_meta_device(catalog: Catalog, recipe: str, scale: str, dataset: str) -> None:
    experiment = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale=scale)
    assert experiment.recipe_id == recipe
    problem = described_problem(catalog, experiment)
    method, _ = build_method(experiment, problem, Runtime(torch.device("meta")), catalog)
    state = method.state()
    costs = network_costs(state, problem.shape)
    learns = any(isinstance(value, torch.optim.Optimizer) for value in state.values())
    assert all(cost.macs for cost in costs.values() if cost.not_counted is None and cost.parameters)
    assert (sum(cost.parameters for cost in costs.values()) > 0) is learns
    stages = method.stages()
    assert len({stage.name for stage in stages}) == len(stages) > 0
    assert isinstance(method.trained(), Trained)


@pytest.mark.parametrize("name", CATALOG.names("method"))
def test_a_method_is_cited_and_its_settings_are_explained(name: str) -> None:
    assert CATALOG.method(name).citation
    cls = CATALOG.load_spec("method", name, "settings")
    assert issubclass(cls, MethodSettings)


@pytest.mark.parametrize("name", CATALOG.names("model"))
def test_a_backbone_builds_from_its_defaults_at_every_resolution(name: str) -> None:
    spec = CATALOG.model(name)
    cls = CATALOG.load_spec("model", name, "settings")
    assert issubclass(cls, Settings)
    build = CATALOG.load_spec("model", name, "build")
    shapes = [(3, side, side) for side in spec.resolutions] if spec.kind == "images" else [(2,)]
    for shape in shapes:
        with torch.device("meta"):
            backbone = build(cls(), shape)
            generator, discriminator = backbone.generator(), backbone.discriminator()
        costs = network_costs({"g": generator, "d": discriminator}, shape)
        assert costs["g"].not_counted is None
        assert costs["d"].not_counted is None
