"""A trained method and its variants are measured each as far as it goes, and the record says what the run cost."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import torch
from opening import CPU, opened
from ring_points import SomeModes
from torch import nn

from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.experiment import resolve
from harness.results.record import schema_path
from harness.runs import score
from harness.runs.score import check_measurable, measure, parameter_counts, timed, training_cost, write_record
from harness.training.loop import Training
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched


@pytest.fixture
def open_run(catalog: Catalog, tmp_path: Path) -> Any:
    """Opens a run on the ring under some evaluation settings."""

    def opening(*metrics: str, seed: int = 3) -> OpenRun:
        overrides = {"evaluation": {"samples": 80, "block": 80, "metrics": list(metrics)}}
        experiment = resolve(catalog, plugin="gan", dataset="ring2d", scale="tiny", seed=seed, overrides=overrides)
        return opened(catalog, experiment, tmp_path / "run")

    return opening


def test_numbers_say_of_which_checkpoint_and_run_they_are_and_were_foreseen(open_run: Any) -> None:
    run, method = open_run("modes", "reverse_kl"), SomeModes(3)
    entries = measure(run, method, "step-7")
    assert [entry.protocol_id for entry in entries] == check_measurable(run, method)
    assert {entry.metric: entry.value for entry in entries}["modes"] == 3
    for entry in entries:
        assert entry.subject == {"what": "itself", "checkpoint": "step-7"}
        assert entry.replicate == {"seed": 3, "fold": None}


def test_variants_are_measured_where_they_can_be(open_run: Any) -> None:
    run = open_run("modes")
    method = SomeModes(3, SomeModes(5, name="redrawn"), nn.Identity(), SomeModes(2, name="truncated"))
    entries = measure(run, method, "last")
    found = [(entry.subject["what"], entry.value) for entry in entries if ",box3std," in entry.protocol_id]
    assert found == [("itself", 3), ("redrawn", 5), ("truncated", 2)]
    assert len(check_measurable(run, method)) * 3 == len(entries)


def test_what_the_method_itself_lacks_is_refused_before_and_when_measuring(open_run: Any) -> None:
    run = open_run("modes", "psnr")
    for ask in (lambda: check_measurable(run, SomeModes(3)), lambda: measure(run, SomeModes(3), "last")):
        with pytest.raises(EvaluationError, match="metric 'psnr' cannot be measured here: it is for images"):
            ask()


def test_where_no_metric_is_named_nothing_is_measured(open_run: Any) -> None:
    run = open_run()
    assert measure(run, SomeModes(3), "last") == check_measurable(run, SomeModes(3)) == []


@pytest.mark.parametrize("fails", [False, True])
def test_pictures_of_variants_lie_apart_and_are_written_once_all_numbers_are_there(
    open_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def drawn(trained: Any, **options: Any) -> list[Any]:
        if fails and trained.subject["what"] == "truncated":
            raise EvaluationError("the disk is full")
        options["figures"]("curve", trained.subject["what"].encode())
        return []

    monkeypatch.setattr(score, "evaluate", drawn)
    method: Any = SomeModes(3, SomeModes(5, name="redrawn"), SomeModes(2, name="truncated"))
    if fails:
        with pytest.raises(EvaluationError, match="the disk is full"):
            measure(open_run("modes"), method, "step-7")
    else:
        measure(open_run("modes"), method, "step-7")
    folder = tmp_path / "run/figures"
    assert {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.png")} == (
        {}
        if fails
        else {
            "step-7/curve.png": "itself",
            "step-7/variant-2/curve.png": "redrawn",
            "step-7/variant-3/curve.png": "truncated",
        }
    )


def test_what_is_measured_is_timed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now, stream = [10.0], io.StringIO()
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def slow() -> list[Any]:
        now[0] += 61.25
        return ["a number"]

    assert timed(Reporter(stream), slow) == (["a number"], 61.25)
    assert stream.getvalue() == "evaluated in 1m01s\n"


def method_of(**state: Any) -> Any:
    return SimpleNamespace(state=lambda: state)


def test_only_networks_have_parameters() -> None:
    average = SimpleNamespace(parameters=nn.Linear(2, 2).parameters)
    method = method_of(generator=nn.Linear(3, 2), labels=torch.zeros(9), norm=nn.BatchNorm1d(4), average=average)
    assert parameter_counts(method) == {"generator": 3 * 2 + 2, "norm": 4 + 4}


@pytest.mark.parametrize(("seconds", "rate"), [(1.5, 400.0), (0.0, None), (7.0, 85.71)])
def test_the_cost_is_of_the_training_and_the_rate_of_its_images(seconds: float, rate: float | None) -> None:
    facts = {"seconds": seconds, "images": 600, "total": 12, "world": 2}
    assert training_cost(method_of(g=nn.Linear(1, 1)), facts, 0.12345) == {
        "parameters": {"g": 2},
        "steps": 12,
        "images_seen": 600,
        "training_seconds": seconds,
        "images_per_second": rate,
        "evaluation_seconds": 0.123,
        "devices": 2,
    }


def test_the_record_of_a_training_is_the_file_and_valid(open_run: Any) -> None:
    run = open_run("modes")
    training = Training(run, Runtime(CPU), Unwatched())
    training.reused = {"cluster": {"from": "elsewhere", "sha256": "0" * 64}}
    record = write_record(run, training, measure(run, SomeModes(3), "last"), "interrupted", 2.0)
    assert json.loads(run.folder.results.read_text()) == record
    jsonschema.validate(record, json.loads(schema_path().read_text()))
    assert (record["exit_state"], record["recipe"], record["reused"]) == (
        "interrupted",
        run.experiment.recipe_id,
        training.reused,
    )
    assert record["cost"] == training_cost(training.method, training.facts(), 2.0)
    assert record["data"]["train_items"] == len(run.dataset.finite("train"))
    assert {entry["metric"] for entry in record["metrics"]} == {"modes"}
