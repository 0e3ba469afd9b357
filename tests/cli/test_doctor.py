"""``harness doctor metrics``: every metric that ships with the harness passes its own examination."""

from __future__ import annotations

import json

import pytest

from harness.catalog import Catalog
from harness.contracts.specs import MetricSpec


def test_every_metric_moves_the_way_that_it_must_and_none_but_those_without_weights_is_left_unexamined(harness):
    code, out, err = harness("doctor", "metrics", "--json")
    assert err == ""
    answer = json.loads(out)
    assert [f for f in answer["findings"] if not f["right"]] == []
    assert code == 0
    assert len(answer["findings"]) > 50
    assert {entry["metric"] for entry in answer["unexamined"]} <= {"path-length", "acceptance"}


def test_every_metric_says_how_it_moves(catalog: Catalog):
    offered = [s for s in catalog.all("metric") if catalog.owner("metric", s.name).name == "builtin"]
    silent = [s.name for s in offered if isinstance(s, MetricSpec) and not s.moves]
    assert silent == []


def test_the_table_says_what_was_disturbed_and_how_many_were_right(harness):
    code, out, _ = harness("doctor", "metrics", "--metrics", "fd", "--extractor", "digits-cnn")
    assert code == 0
    assert "mode_drop" in out
    assert "WRONG" not in out
    assert out.splitlines()[-1].endswith("moved as they must")


def test_a_wrong_direction_is_exit_code_1(harness, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("harness.doctor.examination.expectations", lambda spec: {"fd": {"noise": "down"}})
    code, out, _ = harness("doctor", "metrics", "--metrics", "fd", "--extractor", "digits-cnn")
    assert code == 1
    assert "WRONG: up" in out
    assert out.splitlines()[-1] == "0 of 1 moved as they must"


def test_wrong_names_are_one_line(refused):
    assert "did you mean 'fd'" in refused("doctor", "metrics", "--metrics", "fdd")
    assert "unknown extractor 'nope'" in refused("doctor", "metrics", "--metrics", "fd", "--extractor", "nope")


def test_a_network_that_was_named_and_cannot_be_opened_is_an_error(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    assert "extractor 'inception-tf' has no weights" in refused("doctor", "metrics", "--extractor", "inception-tf")
    assert "takes 1x28x28" in refused("doctor", "metrics", "--extractor", "mnist-cnn")
