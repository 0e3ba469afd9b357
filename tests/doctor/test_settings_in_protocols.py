"""A setting that a metric's protocols do not show is found, whichever kind of value it has."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import toy_metrics

from harness.catalog import Catalog
from harness.doctor.cases import BASELINE, Cases
from harness.doctor.settings_in_protocols import check_shown, nested
from harness.errors import SettingsError
from harness.plugins import Plugins


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Checks the toy metric, which hides some of its settings."""

    def checked(*hidden: str, kinds: tuple[str, ...] = ("images",), **changes: Any) -> None:
        told: dict[str, Any] = {"settings": "toy_metrics:PowerSettings", "metric": "toy_metrics:Power"}
        spec = toy_metrics.spec("power", kinds=kinds, **(told | changes))
        monkeypatch.setattr(toy_metrics, "OFFERED", [spec])
        monkeypatch.setattr(toy_metrics.Power, "HIDDEN", hidden)
        catalog = Catalog(Plugins(found=[EntryPoint("toy", "toy_metrics", "harness")]))
        cases = Cases(catalog, tmp_path)
        check_shown(catalog, spec, [cases.of(kind, "sample")[BASELINE]() for kind in kinds])

    return checked


def test_a_metric_that_shows_all_that_it_was_told_passes(check: Any) -> None:
    check()
    check(kinds=("images", "points"))
    check(settings=None, metric="toy_metrics:Spread")


@pytest.mark.parametrize(("hidden", "key"), [("power", "power"), ("clip", "clip"), ("high", "within.high")])
def test_a_setting_that_is_hidden_is_found_by_its_full_key(check: Any, hidden: str, key: str) -> None:
    said = rf"metric 'power' does not show 'evaluation\.of\.power\.{key}' in its protocols: .* one id, spread\[50000,"
    with pytest.raises(SettingsError, match=said):
        check(hidden)


def test_a_setting_of_which_no_second_value_is_known_asks_for_examples(check: Any) -> None:
    with pytest.raises(SettingsError, match=r"of 'evaluation\.of\.power\.rule' no value is known but 'box'.*examples="):
        check(settings="toy_metrics:Ruled", metric="toy_metrics:Spread")


def test_a_full_key_is_put_into_its_groups() -> None:
    assert nested(toy_metrics.spec("power"), "evaluation.of.power.within.high", 1) == {"within": {"high": 1}}
