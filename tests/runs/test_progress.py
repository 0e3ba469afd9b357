"""While a run trains its pictures, numbers and hooks come from the method as it is, and the best is the best so far."""

from __future__ import annotations

import inspect
import io
import json
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from opening import opened
from PIL import Image
from ring_points import SomeModes

from harness import hookimpl
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.experiment import resolve
from harness.plugins import Plugins
from harness.runs.progress import RunWatch
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter
from harness.training.watching import Watch

ASKED = [name for name, value in vars(Watch).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.fixture(scope="module")
def heard() -> list[tuple[str, dict[str, Any]]]:
    """What a plugin's watching hooks were told."""
    return []


@pytest.fixture(scope="module")
def watched_catalog(heard: list[tuple[str, dict[str, Any]]]) -> Iterator[Catalog]:
    """Everything that is installed, and a plugin that listens."""
    listener = ModuleType("listener")

    @hookimpl
    def harness_run_started(experiment: Any, folder: Path) -> None:
        heard.append(("started", {"experiment": experiment, "folder": folder}))

    @hookimpl
    def harness_step_finished(stage: str, step: int, values: Any) -> None:
        heard.append(("step", {"stage": stage, "step": step, "values": values}))

    @hookimpl
    def harness_evaluated(step: int | None, metrics: Any, folder: Path) -> None:
        heard.append(("evaluated", {"step": step, "metrics": metrics, "folder": folder}))

    @hookimpl
    def harness_run_finished(record: Any, folder: Path) -> None:
        heard.append(("finished", {"record": record, "folder": folder}))

    for hook in (harness_run_started, harness_step_finished, harness_evaluated, harness_run_finished):
        setattr(listener, hook.__name__, hook)
    sys.modules["listener"] = listener
    yield Catalog(Plugins(found=[*entry_points(group="harness"), EntryPoint("listener", "listener", "harness")]))
    del sys.modules["listener"]


@pytest.fixture
def notes() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def open_run(watched_catalog: Catalog, tmp_path: Path, notes: io.StringIO, heard: list[Any]) -> Any:
    """Opens a run on the ring under some evaluation settings."""
    heard.clear()

    def opening(**evaluation: Any) -> OpenRun:
        cheap = {"every": 1, "samples": 80, "block": 80, "metrics": ["modes", "reverse_kl"]}
        overrides = {"evaluation": cheap | evaluation}
        experiment = resolve(watched_catalog, plugin="gan", dataset="ring2d", scale="tiny", overrides=overrides)
        return opened(watched_catalog, experiment, tmp_path / "run", Reporter(notes))

    return opening


@pytest.mark.parametrize("name", ASKED)
def test_everything_that_the_loop_asks_is_answered(name: str) -> None:
    assert inspect.signature(getattr(RunWatch, name)) == inspect.signature(getattr(Watch, name))


def test_a_grid_lies_by_its_step_and_what_cannot_sample_has_none(open_run: Any, tmp_path: Path) -> None:
    watch = RunWatch(open_run())
    watch.sample_grid(SomeModes(3), 12)
    watch.sample_grid(SimpleNamespace(trained=lambda: object()), 13)
    (picture,) = (tmp_path / "run/samples").iterdir()
    assert picture.name == "step-00000012.png"
    assert Image.open(picture).size == (600, 600)


def test_an_evaluation_is_a_line_of_the_file_a_note_and_an_event(
    open_run: Any, tmp_path: Path, notes: io.StringIO, heard: list[Any]
) -> None:
    watch = RunWatch(open_run())
    for modes, step in ((3, 10), (8, 20)):
        assert watch.evaluate(SomeModes(modes), step, None) == (False, None)
    lines = [json.loads(line) for line in (tmp_path / "run/evaluations.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20]
    found = [{m["metric"]: m["value"] for m in line["metrics"]} for line in lines]
    assert [each["modes"] for each in found] == [3, 8]
    assert {m["subject"]["checkpoint"] for m in lines[1]["metrics"]} == {"step-20"}
    assert "evaluation at step 10: modes=3  modes=3  reverse_kl=" in notes.getvalue()
    assert heard == [
        ("evaluated", {"step": line["step"], "metrics": line["metrics"], "folder": tmp_path / "run"}) for line in lines
    ]


@pytest.mark.parametrize("rule", ["modes", "reverse_kl"])
def test_the_best_is_the_first_of_the_best_whichever_direction_is_better(open_run: Any, rule: str) -> None:
    watch, best, seen = RunWatch(open_run(best=rule)), None, []
    for step, modes in enumerate([3, 2, 5, 5, 4], 1):
        better, best = watch.evaluate(SomeModes(modes), step, best)
        assert best is not None
        seen.append((better, best["step"]))
    assert seen == [(True, 1), (False, 1), (True, 3), (False, 3), (False, 3)]
    assert best is not None
    assert best["metric"] == rule
    if rule == "modes":
        assert best["value"] == 5


def test_the_best_rule_may_name_a_protocol(open_run: Any) -> None:
    by_name, by_id = "reverse_kl", "reverse_kl[80,log10,nearest,block80,bn-eval]"
    values = []
    for rule in (by_name, by_id):
        _, best = RunWatch(open_run(best=rule)).evaluate(SomeModes(2), 1, None)
        assert best is not None
        values.append((best["protocol_id"], best["value"]))
    assert [identifier for identifier, _ in values] == ["reverse_kl[80,nats,nearest,block80,bn-eval]", by_id]
    assert values[0][1] == pytest.approx(values[1][1] * torch.log(torch.tensor(10.0)).item(), rel=1e-6)


def test_a_best_rule_that_is_not_measured_names_what_is(open_run: Any) -> None:
    watch = RunWatch(open_run(best="fd"))
    with pytest.raises(EvaluationError, match="evaluation.best=fd, but what is measured is modes, reverse_kl"):
        watch.evaluate(SomeModes(2), 1, None)


def test_watchers_hear_of_the_start_of_steps_and_of_the_end(open_run: Any, tmp_path: Path, heard: list[Any]) -> None:
    run = open_run()
    watch, folder = RunWatch(run), tmp_path / "run"
    watch.started()
    watch.step_finished("gan", 4, {"loss": 0.5})
    record = {"metrics": [{"metric": "modes"}], "recipe": "r"}
    watch.finished(record)
    assert heard == [
        ("started", {"experiment": run.experiment.record(), "folder": folder}),
        ("step", {"stage": "gan", "step": 4, "values": {"loss": 0.5}}),
        ("evaluated", {"step": None, "metrics": record["metrics"], "folder": folder}),
        ("finished", {"record": record, "folder": folder}),
    ]
