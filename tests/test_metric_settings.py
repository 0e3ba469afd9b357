"""A metric's own settings: checked by its own class, kept as given, and named in full where they are wrong."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import toy_metrics

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.errors import SettingsError
from harness.metric_settings import OwnSetting, checked, described, own_settings
from harness.plugins import Plugins

Offering = Callable[..., Catalog]


@pytest.fixture
def offering(monkeypatch: pytest.MonkeyPatch) -> Offering:
    """A catalogue in which a plugin offers metrics."""

    def build(*specs: Any) -> Catalog:
        monkeypatch.setattr(toy_metrics, "OFFERED", list(specs))
        return Catalog(Plugins(found=[EntryPoint("toy", "toy_metrics", "harness")]))

    return build


@pytest.fixture
def catalog(offering: Offering) -> Catalog:
    told = toy_metrics.spec("power-of-pixels", settings="toy_metrics:PowerSettings", metric="toy_metrics:Power")
    return offering(told, toy_metrics.spec("plain", names={"other": None}))


def of(**given: Any) -> EvaluationSettings:
    return EvaluationSettings.model_validate({"of": {name.replace("_", "-"): value for name, value in given.items()}})


def test_what_was_given_stays_as_it_was_and_nothing_is_filled_in(catalog: Catalog) -> None:
    settings = of(power_of_pixels={"power": 3})
    assert checked(catalog, settings) == settings
    assert checked(catalog, EvaluationSettings()).model_dump()["of"] == {}


def test_a_metric_is_built_with_what_was_given_above_its_defaults(catalog: Catalog) -> None:
    spec = catalog.metric("power-of-pixels")
    assert own_settings(catalog, spec, {"within": {"low": 0.25}}) == toy_metrics.PowerSettings(
        power=2.0, within=toy_metrics.Range(low=0.25, high=1.0)
    )
    assert own_settings(catalog, catalog.metric("plain"), {}) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"powr_of_pixels": {"power": 3}},
            "setting 'evaluation.of.powr-of-pixels.power': unknown metric 'powr-of-pixels'; "
            "did you mean 'power-of-pixels'?",
        ),
        ({"plain": {"power": 3}}, "setting 'evaluation.of.plain.power': metric 'plain' has no settings; leave it out"),
        (
            {"spread": {"power": 3}},
            "setting 'evaluation.of.spread.power': 'spread' is a value of metric 'power-of-pixels'; "
            "write evaluation.of.power-of-pixels",
        ),
        (
            {"power_of_pixels": {"pwer": 3}},
            "metric 'power-of-pixels' has no setting 'evaluation.of.power-of-pixels.pwer'; "
            "did you mean 'evaluation.of.power-of-pixels.power'?",
        ),
        (
            {"power_of_pixels": {"power": 0}},
            "setting 'evaluation.of.power-of-pixels.power' of metric 'power-of-pixels': "
            "Input should be greater than 0 (given: 0)",
        ),
        (
            {"power_of_pixels": {"within": {"low": 2}}},
            "setting 'evaluation.of.power-of-pixels.within' of metric 'power-of-pixels': low is above high",
        ),
        (
            {"power_of_pixels": {"power": 64.0}},
            "setting 'evaluation.of.power-of-pixels' of metric 'power-of-pixels': powers above 9 need a wider range",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_the_full_key(catalog: Catalog, given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        checked(catalog, of(**given))
    assert str(error.value) == said
    assert error.value.exit_code == 2


def test_a_metric_goes_by_one_name(offering: Offering) -> None:
    told: dict[str, Any] = {"settings": "toy_metrics:PowerSettings", "metric": "toy_metrics:Power"}
    catalog = offering(toy_metrics.spec("kernel", **told), toy_metrics.spec("free", names={"free": None}, **told))
    # the name that is contested means the harness's own metric, PLUGIN/NAME the other
    contested = of(**{"toy/kernel": {"power": 3}, "kernel": {"subsets": 3}, "toy/free": {"power": 3}})
    assert dict(checked(catalog, contested).of) == {
        "toy/kernel": {"power": 3},
        "kernel": {"subsets": 3},
        "free": {"power": 3},
    }
    with pytest.raises(SettingsError, match=r"evaluation\.of\.free is said of metric 'free' under another name too"):
        checked(catalog, of(**{"toy/free": {"power": 3}, "free": {"power": 4}}))


def test_everything_that_a_metric_can_be_told_is_described(catalog: Catalog) -> None:
    assert described(catalog, catalog.metric("power-of-pixels")) == [
        OwnSetting("evaluation.of.power-of-pixels.power", 2.0, "what pixels are raised to"),
        OwnSetting("evaluation.of.power-of-pixels.clip", "both", "which ends are cut", ("both", "none")),
        OwnSetting("evaluation.of.power-of-pixels.within.low", 0.0, ""),
        OwnSetting("evaluation.of.power-of-pixels.within.high", 1.0, "", (0.5,)),
    ]
    assert described(catalog, catalog.metric("plain")) == []
