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
from harness.results.agreement import Agreement
from harness.runs import verify


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
    count = len(json.loads((run / "results.json").read_text())["metrics"])
    assert f"verified: {count} numbers measured again, all equal to the last digit\n" in out
    said = verification_of(run)
    assert said is not None
    record = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert said["numbers"] == len(record["metrics"]) > 0
    assert said["largest_difference"] == {"of": "", "share_of_allowed": 0}


def test_the_answer_as_data(harness: Any, run: Path) -> None:
    found = json.loads(harness("verify", run, "--json").out)
    assert (found["verified"], found["problems"], found["largest"]) == (True, [], 0)


def test_verifying_leaves_the_run_as_it_was(harness: Any, run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
    harness("verify", run)
    (run / "verified.json").unlink()
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}
    assert after == before


def put(value: Any, *path: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one value, at a path of keys; a function is called with what was there."""

    def change(record: dict[str, Any]) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value(record[path[-1]]) if callable(value) else value

    return change


def other_seed(record: dict[str, Any]) -> None:
    record["seed"] = record["coordinates"]["seed"] = 1


def other_data(record: dict[str, Any]) -> None:
    record["dataset"] = record["coordinates"]["dataset"] = "grid2d"


def made_up(record: dict[str, Any]) -> None:
    record["metrics"].append(record["metrics"][0] | {"protocol": {"metric": "x"}, "protocol_id": "x[made-up]"})


FIRST = ("metrics", 0)

CHANGES = [
    (put(lambda value: value + 0.01, *FIRST, "value"), "value is "),
    (put(lambda better: not better, *FIRST, "higher_is_better"), "higher_is_better is "),
    (put("fid[inception-tf]", *FIRST, "protocol_id"), "protocol_id is "),
    (put(0.5, *FIRST, "std_error"), "std_error is "),
    (put("seeds", *FIRST, "std_error_of"), "std_error_of is "),
    (put("trust me", *FIRST, "remark"), "remark is "),
    (put({"real": 7}, *FIRST, "counts"), "counts is "),
    (put({"seed": 9, "fold": None}, *FIRST, "replicate"), "replicate.seed is 0, and 9 is recorded"),
    (put({"twin": 1.0}, *FIRST, "details"), "details is "),
    (put(lambda steps: steps + 1, "cost", "steps"), "cost.steps is 4, and 5 is recorded"),
    (put(lambda images: images + 1, "cost", "images_seen"), "cost.images_seen is "),
    (put(1, "cost", "parameters", "generator"), "cost.parameters.generator is "),
    (put(0.5, "cost", "training_seconds"), "cost.training_seconds is "),
    (put(8, "cost", "devices"), "cost.devices is 1, and 8 is recorded"),
    (put("wgan", "settings", "loss"), "settings.loss is nsgan, and wgan is recorded"),
    (
        put(lambda name: name.removesuffix("+changed"), "recipe"),
        "recipe is gan/mlp-nsgan+changed, and gan/mlp-nsgan is",
    ),
    (put(5, "overrides", "steps"), "overrides.steps is 4, and 5 is recorded"),
    (put("paper", "scale"), "scale is tiny, and paper is recorded"),
    (put(0.5, "coordinates", "fraction"), "coordinates.fraction is 1, and 0.5 is recorded"),
    (put("0" * 64, "data", "train_checksum"), "data.train_checksum is "),
    (put({"lossy": "no"}, "data", "notes"), "data.notes.lossy is None, and no is recorded"),
    (put({"partition": "x"}, "reused"), "reused.partition is None, and x is recorded"),
    (other_seed, "coordinates.seed is 0, and 1 is recorded"),
    (other_data, "dataset is ring2d, and grid2d is recorded"),
    (made_up, "x[made-up] of weights raw, checkpoint last cannot be measured again"),
    (put([], "metrics"), "the record holds no number"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_a_record_that_says_something_else_is_not_verified(
    harness: Any, run: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    (run / "verified.json").write_text("{}")
    spoil(run, change)
    code, out, _ = harness("verify", run)
    assert code == 1
    assert said in out
    assert len(out.splitlines()) == (3 if change in (other_seed, other_data) else 2)
    assert out.splitlines()[-1].startswith("not verified: ")  # and no badge after it
    assert not (run / "verified.json").exists()


def test_what_is_wrong_as_data(harness: Any, run: Path) -> None:
    spoil(run, put(5, "cost", "steps"))
    code, out, _ = harness("verify", run, "--json")
    found = json.loads(out)
    assert (code, found["verified"], found["problems"]) == (1, False, ["cost.steps is 4, and 5 is recorded"])


def test_where_the_data_is_and_on_what_to_compute_can_be_said(
    harness: Any, refused: Any, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "unknown device 'nope'" in refused("verify", run, "--device", "nope")
    asked: dict[str, Any] = {}

    def verify_run(catalog: Any, path: Path, **options: Any) -> Agreement:
        asked.update(options, path=path)
        return Agreement(1, (), 0.0, "")

    monkeypatch.setattr(verify, "verify_run", verify_run)
    assert harness("verify", run, "--data-root", tmp_path / "data").code == 0
    assert (asked["path"], asked["data_root"], asked["device"]) == (run, tmp_path / "data", "auto")


def test_mistakes_are_one_line(refused: Any, run: Path, tmp_path: Path) -> None:
    assert "no run at" in refused("verify", tmp_path / "nowhere")
    shutil.rmtree(run / "checkpoints")
    assert "has no checkpoint yet" in refused("verify", run)
    (run / "results.json").unlink()
    assert "cannot read" in refused("verify", run)


def test_a_number_that_is_listed_twice_is_no_record(refused: Any, run: Path) -> None:
    spoil(run, lambda record: record["metrics"].append(record["metrics"][0]))
    assert "is listed twice" in refused("verify", run)


def test_a_record_that_was_changed_since_is_verified_no_more(harness: Any, run: Path) -> None:
    assert harness("verify", run).code == 0
    assert verification_of(run) is not None
    spoil(run, put(5, "cost", "steps"))
    assert verification_of(run) is None
