"""A run's record held against what its checkpoints give: to the bit where it is honest, and by how much where not."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.catalog import Catalog
from harness.errors import DataError, RunFolderError, UserError
from harness.experiment import resolve
from harness.results.agreement import Agreement
from harness.runs import RunOptions, evaluate_run, train_run
from harness.runs.verify import verify_run
from harness.training.checkpoints import checkpoints_in
from harness.training.reporting import Reporter
from harness.version import __version__

EVALUATION = {"samples": 100, "neighbours_samples": 50, "every": 2, "best": "fd"}
SETTINGS = {"steps": 6, "backbone": {"width": 2}, "checkpoint_every": 2, "evaluation": EVALUATION}

Check = Callable[[], Agreement]


def train(catalog: Catalog, folder: Path, dataset: str, settings: dict[str, Any]) -> Path:
    experiment = resolve(catalog, plugin="gan", dataset=dataset, scale="tiny", overrides=settings)
    train_run(catalog, experiment, RunOptions(out=folder, device="cpu"), Reporter())
    return folder


@pytest.fixture(scope="module")
def trained(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps on digits, whose checkpoints of steps 4 and 6 are kept, and the best one."""
    return train(catalog, tmp_path_factory.mktemp("runs") / "run", "digits", SETTINGS)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def check(catalog: Catalog, run: Path) -> Check:
    """Verify that copy."""
    return lambda: verify_run(catalog, run, reporter=Reporter(), device="cpu")


def read(run: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return record


def write(run: Path, record: dict[str, Any]) -> None:
    (run / "results.json").write_text(json.dumps(record), encoding="utf-8")


def entry_of(record: dict[str, Any], fits: Callable[[float], bool]) -> dict[str, Any]:
    """The first entry whose value fits."""
    found: dict[str, Any] = next(entry for entry in record["metrics"] if fits(entry["value"]))
    return found


def score(catalog: Catalog, run: Path, **options: Any) -> dict[str, Any]:
    return evaluate_run(catalog, run, reporter=Reporter(), device="cpu", **options)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_honest_record_is_verified_and_the_file_names_what_was_checked(run: Path, check: Check) -> None:
    count = len(read(run)["metrics"])
    assert check() == Agreement(count, (), 0.0, "")
    said = json.loads((run / "verified.json").read_text(encoding="utf-8"))
    assert said.keys() >= {"date", "commit", "platform", "device_name", "threads"}
    assert (
        said
        | {
            "schema_version": 1,
            "results_sha256": digest(run / "results.json"),
            "checkpoint_sha256": digest(run / "checkpoints" / "step-00000006.pt"),
            "numbers": count,
            "largest_difference": {"of": "", "share_of_allowed": 0.0},
            "harness": __version__,
        }
        == said
    )


def test_what_is_compared_is_the_records_numbers(run: Path, check: Check) -> None:
    record = read(run)
    write(run, record | {"metrics": record["metrics"][:2]})
    assert check() == Agreement(2, (), 0.0, "")


def test_every_problem_is_named(run: Path, check: Check) -> None:
    record = read(run)
    wrong = entry_of(record, lambda value: value > 1)
    was = wrong["value"]
    wrong["value"] *= 2
    made_up = {"protocol": {"metric": "x"}, "protocol_id": "x[made-up]", "subject": {}}
    record["metrics"].insert(0, record["metrics"][0] | made_up)
    record["cost"]["steps"] = 7
    write(run, record)
    result = check()
    assert set(result.problems) == {
        "cost.steps is 6, and 7 is recorded",
        "x[made-up] of the method cannot be measured again with the recorded settings",
        f"{wrong['protocol_id']} of weights ema, checkpoint last: value is {was:.6g}, and {2 * was:.6g} is recorded",
    }
    assert (result.largest, result.compared) == (pytest.approx(0.5 / 1e-4), len(record["metrics"]) - 1)


def test_it_is_measured_as_the_record_says_and_not_as_the_run_was_started(
    catalog: Catalog, run: Path, check: Check
) -> None:
    (run / "results.json").unlink()
    record = score(catalog, run, overrides={"samples": 150})
    assert {entry["counts"]["generated"] for entry in record["metrics"] if entry["metric"] == "fd"} == {150}
    assert check() == Agreement(len(record["metrics"]), (), 0.0, "")


@pytest.mark.parametrize("checkpoint", ["4", "best"])
def test_numbers_of_another_checkpoint_are_measured_on_that(
    catalog: Catalog, run: Path, check: Check, checkpoint: str
) -> None:
    count = len(read(run)["metrics"])
    if checkpoint == "best":  # tell it from the last one
        shutil.copy(run / "checkpoints" / "step-00000004.pt", run / "checkpoints" / "best.pt")
    score(catalog, run, checkpoint=checkpoint)
    assert check() == Agreement(2 * count, (), 0.0, "")
    record = read(run)
    name = "best" if checkpoint == "best" else f"step-{checkpoint}"
    fd = [entry for entry in record["metrics"] if entry["metric"] == "fd"]
    one, other = (
        next(each for each in fd if each["subject"]["checkpoint"] == which and each["protocol"] == fd[0]["protocol"])
        for which in (name, "last")
    )
    assert one["value"] != other["value"]
    one["value"], other["value"] = other["value"], one["value"]
    write(run, record)
    assert len(check().problems) == 2


def test_a_checkpoint_that_is_gone_cannot_bear_anything_out(catalog: Catalog, run: Path, check: Check) -> None:
    score(catalog, run, checkpoint="4")
    assert check().problems == ()
    (run / "checkpoints" / "step-00000004.pt").unlink()
    with pytest.raises(RunFolderError, match="has no checkpoint '4'"):
        check()
    assert not (run / "verified.json").exists()


def test_a_run_without_checkpoints_is_not_verified_any_more(run: Path, check: Check) -> None:
    assert check().problems == ()
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(RunFolderError, match="has no checkpoint yet"):
        check()
    assert not (run / "verified.json").exists()


def test_an_unfinished_run_is_not_verified(catalog: Catalog, run: Path, check: Check) -> None:
    (run / "results.json").unlink()
    checkpoints_in(run / "checkpoints")[-1].unlink()  # as if it had been killed before the last step
    record = score(catalog, run)
    assert record["exit_state"] == "stopped"
    assert check().problems == ("the run did not finish",)
    write(run, record | {"exit_state": "finished"})  # that the record says so does not make it so
    assert check().problems == ("the run did not finish",)
    assert not (run / "verified.json").exists()


def test_a_record_that_says_it_stopped_is_not_verified(run: Path, check: Check) -> None:
    write(run, read(run) | {"exit_state": "stopped"})
    assert check().problems == ("the run did not finish",)


def test_another_runs_checkpoint_is_refused(catalog: Catalog, run: Path, check: Check, tmp_path: Path) -> None:
    other = train(catalog, tmp_path / "other", "digits", SETTINGS | {"loss": "wgan"})
    name = "checkpoints/step-00000006.pt"
    shutil.copy(other / name, run / name)
    with pytest.raises(UserError, match="belongs to another experiment"):
        check()


def test_data_that_changed_since_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    images = tmp_path / "images" / "a"
    images.mkdir(parents=True)
    for number in range(12):
        Image.fromarray(np.full((8, 8), number * 20, np.uint8)).save(images / f"{number}.png")
    evaluation = {"samples": 20, "neighbours_samples": 10, "metrics": ["fd"], "extractors": ["pixels"]}
    settings = {"steps": 1, "batch_size": 4, "backbone": {"width": 2}, "conditional": False, "evaluation": evaluation}
    run = train(catalog, tmp_path / "run", f"folder:{tmp_path / 'images'}", settings)
    assert verify_run(catalog, run, reporter=Reporter(), device="cpu").problems == ()
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(images / "3.png")
    with pytest.raises(DataError, match="is not what the run in .* was started with"):
        verify_run(catalog, run, reporter=Reporter(), device="cpu")
    assert not (run / "verified.json").exists()


@pytest.mark.parametrize("overrides", [{"metrics": ["fd"]}, {"samples": 150}, {"batch_norm": "train"}])
def test_numbers_that_were_scored_again_otherwise_are_verified_each_as_it_was_measured(
    catalog: Catalog, run: Path, check: Check, overrides: dict[str, Any]
) -> None:
    before = read(run)
    score(catalog, run, overrides=overrides)
    after = score(catalog, run, overrides={"metrics": ["precision"], "neighbours_samples": 60}, checkpoint="4")
    assert len(after["metrics"]) > len(before["metrics"])
    assert (after["environment"], after["settings"]) == (before["environment"], before["settings"])
    assert next(each["settings"]["neighbours_samples"] for each in after["evaluations"]) == 60
    assert check() == Agreement(len(after["metrics"]), (), 0.0, "")
    after["evaluations"][0]["settings"]["neighbours_samples"] = 61
    write(run, after)
    assert any("cannot be measured again" in problem for problem in check().problems)
