"""The mill itself: right metrics pass, wrong ones are found, and what cannot be examined says why."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
import toy_metrics

from harness.catalog import Catalog
from harness.doctor.examination import Finding, examine, expectations
from harness.errors import EvaluationError, SettingsError, UnknownName
from harness.plugins import Plugins


def examined(monkeypatch: pytest.MonkeyPatch, **changes) -> list[Finding]:
    """A plugin's metric, offered as `changes` say, in the mill."""
    monkeypatch.setattr(toy_metrics, "OFFERED", [toy_metrics.spec("spread-of-pixels", **changes)])
    catalog = Catalog(Plugins(found=[EntryPoint("toy", "toy_metrics", "harness")]))
    findings, unexamined = examine(catalog, ["spread"])
    assert unexamined == []
    return findings


@pytest.mark.parametrize(
    ("baseline", "disturbed", "moved"),
    [(1.0, 1.005, "same"), (1.0, 1.02, "up"), (1.0, 0.9, "down"), (0.0, 0.0, "same"), (-1.0, -2.0, "down")],
)
def test_a_move_is_more_than_one_percent(baseline: float, disturbed: float, moved: str) -> None:
    finding = Finding("x", "x[]", "noise", baseline, disturbed, "up")
    assert finding.moved == moved
    assert finding.right == (moved == "up")


def test_a_metric_of_a_plugin_goes_through_the_same_mill(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = {"spread": {"noise": "down", "blur": "down", "label_shuffle": "same", "mode_drop": "same"}}
    findings = examined(monkeypatch, moves=moves)
    assert {f.disturbance for f in findings} == set(moves["spread"])
    right = {f.disturbance: f.right for f in findings}
    assert right["blur"]
    assert right["label_shuffle"]
    assert all(f.protocol_id.startswith("spread[360,") for f in findings)


def test_a_metric_that_moves_the_wrong_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = examined(monkeypatch, moves={"spread": {"blur": "up"}})
    assert not finding.right
    assert finding.disturbed < finding.baseline


def test_a_metric_that_says_nothing_must_get_worse_by_noise(catalog: Catalog) -> None:
    assert expectations(toy_metrics.spec("x", names={"good": True, "bad": False, "other": None})) == {
        "good": {"noise": "down"},
        "bad": {"noise": "up"},
    }


def test_a_metric_that_moves_in_no_direction_is_refused() -> None:
    with pytest.raises(SettingsError, match="moves 'sideways' under noise; up, down or same"):
        expectations(toy_metrics.spec("x", moves={"spread": {"noise": "sideways"}}))


def test_a_named_metric_that_cannot_be_examined_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvaluationError, match="says of no disturbance how it moves"):
        examined(monkeypatch, moves={})
    with pytest.raises(EvaluationError, match="there is no healthy case for capability 'reported'"):
        examined(monkeypatch, requires="reported", moves={"spread": {"noise": "up"}})


def test_an_unknown_metric_is_refused_with_near_names(catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match="did you mean 'precision'"):
        examine(catalog, ["precisoin"])


def test_precision_and_recall_are_told_apart(catalog: Catalog) -> None:
    findings, _ = examine(catalog, ["neighbours"], ("digits-cnn",))
    must = {(f.metric, f.disturbance): f.must for f in findings}
    assert must["recall", "mode_drop"] == "down"
    assert must["precision", "swap"] == "down"
    assert all(f.right for f in findings), [f for f in findings if not f.right]


def test_a_metric_that_hides_what_it_was_told_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"settings": "toy_metrics:PowerSettings", "metric": "toy_metrics:Power"}
    moves = {"spread": {"label_shuffle": "same"}}
    assert all(finding.right for finding in examined(monkeypatch, moves=moves, **told))
    monkeypatch.setattr(toy_metrics.Power, "HIDDEN", ("power",))
    with pytest.raises(SettingsError, match=r"does not show 'evaluation\.of\.spread-of-pixels\.power'"):
        examined(monkeypatch, moves=moves, **told)
