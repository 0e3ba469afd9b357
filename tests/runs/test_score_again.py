"""A run that is scored again keeps what its record said of everything that was not measured anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opening import CPU
from trained_runs import trained_run

from harness.catalog import Catalog
from harness.errors import CheckpointError, EvaluationError, RunFolderError
from harness.runs import evaluate_run
from harness.runs.score_again import Opener, record_again
from harness.runs.stored_run import StoredRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder

Score = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def trained(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four steps, whose checkpoints of steps 2 and 4 are kept."""
    chosen = {"metrics": ["modes", "reverse_kl"]}
    return trained_run(catalog, tmp_path_factory.mktemp("runs") / "run", evaluation=chosen)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def score(catalog: Catalog, run: Path) -> Score:
    """Score that copy."""
    return lambda **options: evaluate_run(catalog, run, reporter=Reporter(quiet=True), device="cpu", **options)


def read(run: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return record


def write(run: Path, record: dict[str, Any]) -> None:
    (run / "results.json").write_text(json.dumps(record), encoding="utf-8")


def shorten(run: Path) -> None:
    """As if the run had been killed before its last checkpoint."""
    (run / "checkpoints/step-00000004.pt").unlink()


def contents(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != "lock"}


def numbers(record: dict[str, Any]) -> list[tuple[str, str, float, int]]:
    """Each number's metric, checkpoint, value and evaluation; one protocol of each metric."""
    return [
        (entry["metric"], entry["subject"]["checkpoint"], entry["value"], entry["evaluation"])
        for entry in record["metrics"]
        if "disc3std" not in entry["protocol_id"] and "log10" not in entry["protocol_id"]
    ]


# -------------------------------------------------------------------------------------------------
# the record
# -------------------------------------------------------------------------------------------------


def test_the_same_again_is_one_evaluation_with_the_same_numbers(run: Path, score: Score) -> None:
    before = read(run)
    record = score()
    assert numbers(record) == numbers(before)
    assert len(record["evaluations"]) == 1
    assert read(run) == record


def test_old_numbers_stay_behind_the_new_ones_and_name_their_evaluation(run: Path, score: Score) -> None:
    before = numbers(read(run))
    after = numbers(score(checkpoint="2", overrides={"metrics": ["modes"]}))
    assert [number[:2] for number in after] == [("modes", "step-2"), ("modes", "last"), ("reverse_kl", "last")]
    assert after[1:] == [(*number[:3], 1) for number in before]


def test_an_evaluation_that_no_number_is_of_any_more_is_forgotten(score: Score) -> None:
    for _ in range(2):
        record = score(overrides={"samples": 150})
    assert len(record["evaluations"]) == len({entry["evaluation"] for entry in record["metrics"]}) == 2


def test_environment_and_settings_stay_those_of_the_runs_own_end(run: Path, score: Score) -> None:
    old = read(run)
    old["environment"] |= {"device_name": "another machine"}
    old["settings"] |= {"log_every": 77}
    write(run, old)
    record = score(overrides={"samples": 150})
    assert (record["environment"], record["settings"]) == (old["environment"], old["settings"])
    now, then = record["evaluations"]
    assert (now["settings"]["samples"], then["settings"]["samples"]) == (150, 200)
    assert (now["environment"]["device_name"] != "another machine", then["environment"]) == (True, old["environment"])


def test_cost_is_that_of_the_last_checkpoint_whichever_is_scored(run: Path, score: Score) -> None:
    cost = read(run)["cost"]
    for checkpoint in ("2", "last"):
        again = score(checkpoint=checkpoint)["cost"]
        for key in ("steps", "images_seen", "parameters", "devices"):
            assert again[key] == cost[key]


def test_numbers_of_a_last_checkpoint_that_is_another_one_now_are_dropped(run: Path, score: Score) -> None:
    score(checkpoint="2", overrides={"metrics": ["reverse_kl"]})
    shorten(run)
    record = score(overrides={"metrics": ["modes"]})
    assert [number[:2] for number in numbers(record)] == [("modes", "last"), ("reverse_kl", "step-2")]


@pytest.mark.parametrize(
    ("said", "whole", "state"),
    [
        ("finished", True, "finished"),
        ("interrupted", True, "finished"),
        (None, True, "finished"),
        ("interrupted", False, "interrupted"),
        ("finished", False, "stopped"),
        (None, False, "stopped"),
    ],
)
def test_how_it_ended_is_what_the_last_checkpoint_says(
    run: Path, score: Score, said: str | None, whole: bool, state: str
) -> None:
    if said is None:
        (run / "results.json").unlink()
    else:
        write(run, read(run) | {"exit_state": said})
    if not whole:
        shorten(run)
    assert score(overrides={"metrics": ["modes"]})["exit_state"] == state


# -------------------------------------------------------------------------------------------------
# refused
# -------------------------------------------------------------------------------------------------


def test_what_cannot_be_measured_is_refused_before_anything_is_written(run: Path, score: Score) -> None:
    before = contents(run)
    with pytest.raises(EvaluationError, match="metric 'fd' cannot be measured here"):
        score(overrides={"metrics": ["modes", "fd"]})
    assert contents(run) == before


def test_a_run_in_use_is_refused_before_any_work(run: Path, score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Opener, "scored", lambda *arguments: pytest.fail("a checkpoint was loaded"))
    before = contents(run)
    with RunFolder(run).locked(), pytest.raises(RunFolderError, match="is in use by process"):
        score()
    assert contents(run) == before


def test_a_run_that_goes_on_meanwhile_keeps_its_record(
    run: Path, score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opener.scored

    def go_on(opener: Opener, *arguments: Any) -> Any:
        shutil.copy(run / "checkpoints/step-00000004.pt", run / "checkpoints/step-00000006.pt")
        return opened(opener, *arguments)

    monkeypatch.setattr(Opener, "scored", go_on)
    before = read(run)
    with pytest.raises(RunFolderError, match="went on while this command began; try again"):
        score()
    assert read(run) == before


def test_a_run_that_does_not_say_where_its_data_was_needs_to_be_told(run: Path, score: Score, tmp_path: Path) -> None:
    path = run / "experiment.json"
    written = json.loads(path.read_text())
    del written["data_root"]
    path.write_text(json.dumps(written))
    with pytest.raises(CheckpointError, match=r"experiment\.json does not say what data the run had"):
        score()
    assert score(data_root=tmp_path)["exit_state"] == "finished"


# -------------------------------------------------------------------------------------------------
# the same record again
# -------------------------------------------------------------------------------------------------


def test_a_record_is_made_again_from_the_checkpoints_alone(catalog: Catalog, run: Path, score: Score) -> None:
    score(checkpoint="2", overrides={"metrics": ["modes"], "samples": 150})
    record, before = read(run), contents(run)
    again = record_again(opener(catalog, run), record)
    timeless = [{**entry, "seconds": 0.0} for entry in record["metrics"]]
    assert sorted(map(str, timeless)) == sorted(str({**entry, "seconds": 0.0}) for entry in again["metrics"])
    assert {**again, "metrics": []} == {**record, "metrics": []}
    assert contents(run) == before


def test_numbers_that_the_record_does_not_have_are_not_made_again(catalog: Catalog, run: Path) -> None:
    record = read(run)
    record["metrics"] = record["metrics"][1:2]
    again = record_again(opener(catalog, run), record)
    (entry,) = again["metrics"]
    assert {**entry, "seconds": 0.0} == {**record["metrics"][0], "seconds": 0.0}
    assert {**again, "metrics": []} == {**record, "metrics": []}
    record["metrics"] = []
    assert record_again(opener(catalog, run), record)["metrics"] == []


def opener(catalog: Catalog, run: Path) -> Opener:
    return Opener(catalog, StoredRun.open(catalog, RunFolder(run)), Reporter(quiet=True), None, CPU)
