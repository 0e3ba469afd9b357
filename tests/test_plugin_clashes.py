"""Names that two plugins offer: the first has it to itself, the other's goes by PLUGIN/NAME, and no more is lost."""

from __future__ import annotations

import math

import pytest
from made_plugins import PENALTY, Install, method, penalty, plugin_called

from harness.catalog import Catalog
from harness.errors import UnknownName
from harness.experiment import from_record, resolve
from harness.plugins import Plugins


def test_a_name_of_two_owners_stays_with_the_first_and_costs_the_other_nothing_else(install: Install) -> None:
    points = [penalty(install, "first"), install("second", PENALTY.format(name="zero") + _ALSO)]
    plugins = Plugins(found=points)
    second = plugin_called(plugins, "second")
    assert (second.status, second.error, [spec.name for spec in second.offers]) == ("ok", None, ["second/zero", "mine"])
    assert second.clashes == [
        "penalty 'zero' is offered by plugin 'first' and by plugin 'second': "
        "'zero' means that of 'first', 'second/zero' the other"
    ]
    catalog = Catalog(plugins)
    assert catalog.owner("penalty", "zero").name == "first"
    assert (catalog.penalty("zero").penalty, catalog.penalty("second/zero").penalty) == ("math:sqrt", "math:sqrt")
    assert catalog.owner("penalty", catalog.penalty("second/zero").name) is second


_ALSO = '        register(PenaltySpec(name="mine", summary="-", penalty="math:exp"))\n'


def test_plugin_and_name_always_mean_that_plugins_offer(install: Install) -> None:
    catalog = Catalog(Plugins(found=[penalty(install, "only"), penalty(install, "other", "p")]))
    assert catalog.penalty("only/zero") is catalog.penalty("zero")
    assert catalog.load_spec("penalty", "only/zero", "penalty") is math.sqrt
    assert catalog.dataset("builtin/digits").name == "digits"
    assert catalog.metric("builtin/fd") is catalog.metric("fd")
    with pytest.raises(UnknownName):
        catalog.penalty("other/zero")


def test_switching_the_first_owner_off_gives_the_name_to_the_second(install: Install) -> None:
    points = [penalty(install, "first"), penalty(install, "second")]
    assert Catalog(Plugins(["first"], points)).owner("penalty", "zero").name == "second"


def test_a_method_of_two_owners_has_its_recipes_under_its_plugin(install: Install) -> None:
    plugins = Plugins(found=[method(install, "a", "toy", "toy/x"), method(install, "b", "toy", "toy/x", "toy/y")])
    assert plugin_called(plugins, "b").clashes[0].startswith("method 'toy' is offered by plugin 'a' and by plugin 'b'")
    catalog = Catalog(plugins)
    own = {recipe.id: recipe.method for recipe in catalog.recipes() if "toy" in recipe.method}
    assert own == {"toy/x": "toy", "b/toy/x": "b/toy", "b/toy/y": "b/toy"}
    assert catalog.method_of("b").name == catalog.method_of("b/toy").name == "b/toy"
    assert catalog.method_of("a/toy").name == "toy"
    assert catalog.recipe("a/toy/x") is catalog.recipe("toy/x")
    with pytest.raises(UnknownName):
        catalog.recipe("a/toy/y")


def test_an_experiment_on_a_contested_name_is_recorded_and_read_as_that_plugins(install: Install) -> None:
    plugins = Plugins(found=[method(install, "a", "toy", "toy/x"), method(install, "b", "toy", "toy/x")])
    catalog = Catalog(plugins)
    experiment = resolve(catalog, plugin="b/toy", dataset="builtin/digits", overrides={"backbone": "builtin/biggan"})
    assert (experiment.plugin, experiment.method, experiment.recipe) == ("b", "b/toy", "b/toy/x")
    assert (experiment.dataset, experiment.settings.backbone.name) == ("digits", "biggan")
    assert from_record(catalog, experiment.record(), "here") == experiment
    assert "/" not in experiment.name.split("/", 1)[0]
    assert experiment.name.count("/") == 2


METRIC = """
    from harness import MetricSpec, hookimpl

    @hookimpl
    def harness_register_metrics(register):
        register(MetricSpec(name="{name}", summary="-", metric="m:M", names={{"{value}": True}}))
"""


@pytest.mark.parametrize(("name", "value"), [("fd", "other"), ("distance", "fd"), ("distance", "precision")])
def test_a_metric_whose_name_or_value_is_anothers_waits_to_be_asked_for(
    install: Install, name: str, value: str
) -> None:
    plugins = Plugins(found=[install("lab", METRIC.format(name=name, value=value))])
    assert len(plugin_called(plugins, "lab").clashes) == 1
    catalog = Catalog(plugins)
    contested = catalog.metric(f"lab/{name}")
    assert (contested.metric, contested.by_default) == ("m:M", False)
    assert catalog.owner("metric", catalog.metric("fd").name).name == "builtin"
    assert catalog.owner("metric", catalog.metric("precision").name).name == "builtin"


def test_a_dataset_that_the_harness_has_already(install: Install) -> None:
    source = """
        from harness import DatasetSpec, hookimpl

        @hookimpl
        def harness_register_datasets(register):
            register(DatasetSpec(name="digits", summary="lab's", load="m:f", kind="images", shape=(1, 8, 8), classes=(),
                                 splits={}, licence="-", source="-"))
    """
    catalog = Catalog(Plugins(found=[install("lab", source)]))
    assert catalog.dataset("lab/digits").summary == "lab's"
    assert catalog.dataset("digits").summary != "lab's"
