"""Looking things up by name, with near misses, and loading the code behind a name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from harness import DatasetSpec, MethodSpec, MetricSpec, PenaltySpec, Recipe, hookimpl
from harness.catalog import Catalog, open_catalog
from harness.errors import SettingsError, UnknownName, UserError
from harness.plugins import Plugin, Plugins


def dataset(name: str, argument: str | None = None) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        summary="-",
        load="math:sqrt",
        kind="points",
        shape=(2,),
        classes=(),
        splits={"train": None},
        licence="-",
        source="-",
        argument=argument,
    )


def method(name: str, *recipes: Recipe) -> MethodSpec:
    given = recipes or (Recipe(id=f"{name}/base", method=name, summary="-"),)
    return MethodSpec(name=name, summary="-", settings="math:pi", method="no_such_module:M", recipes=given)


@pytest.fixture
def toys() -> Iterator[Catalog]:
    """A catalog of made-up plugins: `solo` with one method, `duo` with two, `empty` with none, and a broken one."""
    solo, duo, empty, broken = (ModuleType(f"toys_{name}") for name in ("solo", "duo", "empty", "broken"))

    @hookimpl
    def harness_register_methods(register):  # type: ignore[no-untyped-def]
        register(method("alpha", Recipe(id="alpha/b", method="alpha", summary="-"), *alpha_recipes()))

    def alpha_recipes() -> list[Recipe]:
        return [Recipe(id="alpha/a", method="alpha", summary="-", datasets=("ring",))]

    solo.harness_register_methods = harness_register_methods  # type: ignore[attr-defined]

    @hookimpl(specname="harness_register_methods")
    def two(register):  # type: ignore[no-untyped-def]
        register(method("beta"))
        register(method("gamma"))

    duo.two = two  # type: ignore[attr-defined]

    @hookimpl(specname="harness_register_datasets")
    def data(register):  # type: ignore[no-untyped-def]
        register(dataset("ring"))
        register(dataset("files", argument="PATH"))

    empty.data = data  # type: ignore[attr-defined]

    @hookimpl(specname="harness_register_metrics")
    def metrics(register):  # type: ignore[no-untyped-def]
        register(MetricSpec(name="manifold", summary="-", metric="math:pi", names={"near": True, "far": False}))

    empty.metrics = metrics  # type: ignore[attr-defined]

    @hookimpl(specname="harness_register_losses")
    def unhappy(register):  # type: ignore[no-untyped-def]
        register(PenaltySpec(name="zero", summary="-", penalty="math:sqrt"))
        raise ValueError("bad luck")

    broken.unhappy = unhappy  # type: ignore[attr-defined]
    modules = {module.__name__: module for module in (solo, duo, empty, broken)}
    sys.modules.update(modules)
    points = [EntryPoint(name.removeprefix("toys_"), name, "harness") for name in modules]
    yield Catalog(Plugins(["builtin"], points))
    for name in modules:
        del sys.modules[name]


def test_names_and_specs_come_sorted(toys: Catalog) -> None:
    assert toys.names("method") == ["alpha", "beta", "gamma"]
    assert [spec.name for spec in toys.all("method")] == ["alpha", "beta", "gamma"]
    assert [recipe.id for recipe in toys.recipes()] == ["alpha/a", "alpha/b", "beta/base", "gamma/base"]


def test_a_plugin_that_failed_half_way_offers_nothing(toys: Catalog) -> None:
    assert toys.names("penalty") == []


def test_owners_are_known(toys: Catalog) -> None:
    assert toys.owner("method", "gamma").name == "duo"


@pytest.mark.parametrize(
    ("lookup", "name", "said"),
    [
        ("dataset", "rings", "unknown data set 'rings'; did you mean 'ring'?"),
        ("dataset", "", "unknown data set ''; choose from: files, ring"),
        ("model", "mlp", "unknown backbone 'mlp'; there are none"),
        ("loss", "hinge", "unknown loss 'hinge'; there are none"),
        ("penalty", "zero", "unknown penalty 'zero'; there are none"),
        ("augmentation", "ada", "unknown augmentation 'ada'; there are none"),
        ("regulariser", "path", "unknown regulariser 'path'; there are none"),
        ("extractor", "pixels", "unknown extractor 'pixels'; there are none"),
        ("metric", "manifolds", "unknown metric 'manifolds'; did you mean 'manifold'?"),
        ("method", "alfa", "unknown method 'alfa'; did you mean 'alpha'?"),
        ("recipe", "alpha/c", "unknown recipe 'alpha/c'; did you mean"),
        ("recipe", "base", "unknown recipe 'base'; did you mean 'beta/base' or 'gamma/base'?"),
        ("method_of", "alfa", "unknown plugin or method 'alfa'; did you mean 'alpha'?"),
    ],
)
def test_an_unknown_name_offers_the_near_ones(toys: Catalog, lookup: str, name: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        getattr(toys, lookup)(name)
    assert str(caught.value).startswith(said)


# -- data sets with an argument --------------------------------------------------------------------------


def test_what_follows_the_colon_is_no_part_of_the_name(toys: Catalog) -> None:
    assert toys.dataset("files:/some/where:else").name == "files"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("files", "data set 'files' needs PATH; write files:PATH"),
        ("files:", "data set 'files' needs PATH; write files:PATH"),
        ("ring:3", "data set 'ring' takes nothing after a colon, but got 'ring:3'"),
        ("ring:", "data set 'ring' takes nothing after a colon, but got 'ring:'"),
    ],
)
def test_a_missing_or_needless_argument_is_refused(toys: Catalog, name: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        toys.dataset(name)
    assert str(caught.value) == said


# -- metrics by the names of their values ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["manifold", "near", "far"])
def test_a_metric_is_found_by_its_values_too(toys: Catalog, name: str) -> None:
    assert toys.metric(name).name == "manifold"


# -- what --plugin means ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "meant"), [("alpha", "alpha"), ("solo", "alpha"), ("beta", "beta")])
def test_a_plugin_with_one_method_means_that_method(toys: Catalog, given: str, meant: str) -> None:
    assert toys.method_of(given).name == meant


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("duo", "plugin 'duo' offers 2 methods (beta, gamma); give a method's name to --plugin"),
        ("empty", "plugin 'empty' offers 0 methods (none); see harness ls methods"),
        ("broken", "plugin 'broken' is not in use: harness_register_losses raised ValueError: bad luck"),
        ("builtin", "plugin 'builtin' is not in use: switched off with --without"),
    ],
)
def test_a_plugin_that_means_no_one_method_says_why(toys: Catalog, given: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        toys.method_of(given)
    assert str(caught.value) == said


def test_of_two_plugins_of_one_name_the_one_in_use_is_meant(toys: Catalog) -> None:
    toys.plugins.plugins.insert(0, Plugin("solo", "elsewhere", "?", "?", "broken", "import raised"))
    assert toys.method_of("solo").name == "alpha"
    toys.plugins.plugins.append(toys.plugins.plugins.pop(0))
    assert toys.method_of("solo").name == "alpha"


def test_the_default_recipe_is_the_first_that_the_paper_used_on_the_data(toys: Catalog) -> None:
    assert toys.method("alpha").default_recipe("ring").id == "alpha/a"
    assert toys.method("alpha").default_recipe("other").id == "alpha/b"


# -- loading ---------------------------------------------------------------------------------------------


def test_code_is_loaded_on_demand(toys: Catalog) -> None:
    assert toys.load_spec("dataset", "ring", "load")(9.0) == 3.0


def test_code_that_cannot_be_loaded_names_its_owner(toys: Catalog) -> None:
    with pytest.raises(UserError) as caught:
        toys.load_spec("method", "gamma", "method")
    assert str(caught.value) == (
        "method 'gamma' of plugin 'duo' cannot be loaded from no_such_module:M: "
        "ModuleNotFoundError: No module named 'no_such_module'"
    )


def test_without_a_plugin_that_does_not_exist_is_refused_with_near_names() -> None:
    with pytest.raises(UserError, match=r"--without names no plugin: 'buildin'; did you mean 'builtin'\?"):
        open_catalog(["buildin"])
