"""``harness verify``: a record is what its checkpoint gives, or the command says where it is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.leaderboard.artefacts import verification_of


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a few steps on points in the plane."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = ("steps=4", "evaluation.samples=200", "evaluation.neighbours_samples=100", "evaluation.every=2")
    words = [part for setting in settings for part in ("--set", setting)]
    where = ["--plugin", "gan", "--dataset", "ring2d", "--scale", "tiny", "--device", "cpu", "--out", str(folder)]
    assert main(["run", *where, *words]) == 0
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def spoil(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = run / "results.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_an_honest_record_is_verified_to_the_bit(harness: Any, run: Path) -> None:
    code, out, _ = harness("verify", run, "--device", "cpu")
    assert code == 0
    assert "largest relative difference 0\n" in out
    said = verification_of(run)
    assert said is not None
    record = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert said["numbers"] == len(record["metrics"]) > 0
    assert said["largest_relative_difference"] == 0


def test_the_answer_as_data(harness: Any, run: Path) -> None:
    found = json.loads(harness("verify", run, "--json").out)
    assert (found["verified"], found["problems"], found["largest"]) == (True, [], 0)


def test_verifying_leaves_the_run_as_it_was(harness: Any, run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
    harness("verify", run)
    (run / "verified.json").unlink()
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
    assert after == before


def better(record: dict[str, Any]) -> None:
    record["metrics"][0]["value"] += 0.01


def more_steps(record: dict[str, Any]) -> None:
    record["cost"]["steps"] += 1


def more_images(record: dict[str, Any]) -> None:
    record["cost"]["images_seen"] += 1


def other_settings(record: dict[str, Any]) -> None:
    record["settings"]["loss"] = "wgan"


def other_recipe(record: dict[str, Any]) -> None:
    record["recipe"] = record["recipe"].removesuffix("+changed")


def other_seed(record: dict[str, Any]) -> None:
    record["seed"] += 1


def made_up(record: dict[str, Any]) -> None:
    record["metrics"].append(record["metrics"][0] | {"protocol": {"metric": "x"}, "protocol_id": "x[made-up]"})


def no_numbers(record: dict[str, Any]) -> None:
    record["metrics"] = []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (better, " is recorded"),
        (more_steps, "steps is 4, and 5 is recorded"),
        (more_images, "images_seen is "),
        (other_settings, "settings is "),
        (other_recipe, "recipe is gan/mlp-nsgan+changed, and gan/mlp-nsgan is recorded"),
        (other_seed, "-s0, and "),
        (made_up, "x[made-up] of weights raw, checkpoint last cannot be measured again"),
        (no_numbers, "the record holds no number"),
    ],
)
def test_a_record_that_says_something_else_is_not_verified(
    harness: Any, run: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    assert harness("verify", run).code == 0
    spoil(run, change)
    assert verification_of(run) is None
    code, out, _ = harness("verify", run)
    assert code == 1
    assert said in out
    assert "not verified" in out
    assert not (run / "verified.json").exists()


def test_mistakes_are_one_line(refused: Any, run: Path, tmp_path: Path) -> None:
    assert "no run at" in refused("verify", tmp_path / "nowhere")
    shutil.rmtree(run / "checkpoints")
    assert "has no checkpoint yet" in refused("verify", run)
    (run / "results.json").unlink()
    assert "cannot read" in refused("verify", run)
