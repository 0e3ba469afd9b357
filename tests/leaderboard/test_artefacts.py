"""What is kept of a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from made_records import made_entry, made_record, save

from harness.errors import UserError
from harness.leaderboard.artefacts import collect, curves_of, samples_of, verification_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder as training leaves it."""
    folder = tmp_path / "run"
    save(made_record(seed=4, overrides={"steps": 3}), folder / "results.json")
    (folder / "samples").mkdir()
    for step in (5, 10):
        (folder / "samples" / f"step-{step:08d}.png").write_bytes(str(step).encode())
    lines = [
        {"step": step, "metrics": [made_entry(value=v), made_entry(value=0.0, subject={"weights": "raw"})]}
        for step, v in ((10, 2.0), (5, 3.0))
    ]
    (folder / "evaluations.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return folder


def verify(folder: Path) -> None:
    digest = hashlib.sha256((folder / "results.json").read_bytes()).hexdigest()
    save({"results_sha256": digest, "numbers": 1}, folder / "verified.json")


def test_collecting_keeps_what_a_leaderboard_shows(run: Path, tmp_path: Path) -> None:
    verify(run)
    kept = collect(run, tmp_path / "results")
    assert kept.parent == tmp_path / "results" / "made" / "digits"
    assert kept.name.startswith("plain-paper-x")
    assert kept.name.endswith("-s4")
    assert {path.name for path in kept.iterdir()} == {"results.json", "curves.json", "samples.png", "verified.json"}
    assert (kept / "results.json").read_bytes() == (run / "results.json").read_bytes()
    assert (kept / "samples.png").read_bytes() == b"10"
    assert curves_of(kept) == curves_of(run) == {"fd[toy]": ((5, 3.0), (10, 2.0))}
    assert verification_of(kept) == verification_of(run) != None  # noqa: E711


def test_a_plus_in_a_recipes_own_name_stays_in_the_folders(tmp_path: Path) -> None:
    names = []
    for recipe in ("made/a", "made/a+changed", "made/a+b", "made/a+b+changed"):
        save(made_record(recipe=recipe), tmp_path / "run" / "results.json")
        names.append(collect(tmp_path / "run", tmp_path / "results").name)
    assert names == ["a-paper-s0", "a-paper-s0", "a+b-paper-s0", "a+b-paper-s0"]


def test_collecting_again_leaves_nothing_of_before(run: Path, tmp_path: Path) -> None:
    verify(run)
    collect(run, tmp_path / "results")
    for name in ("verified.json", "evaluations.jsonl", "samples/step-00000010.png", "samples/step-00000005.png"):
        (run / name).unlink()
    kept = collect(run, tmp_path / "results")
    assert {path.name for path in kept.iterdir()} == {"results.json"}


def test_a_result_that_is_kept_where_it_lies_loses_nothing(run: Path, tmp_path: Path) -> None:
    verify(run)
    kept = collect(run, tmp_path / "results")
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert collect(kept, tmp_path / "results") == kept
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before


def test_a_record_that_was_changed_since_is_not_verified(run: Path) -> None:
    assert verification_of(run) is None
    verify(run)
    assert verification_of(run) is not None
    save(made_record(seed=4, overrides={"steps": 4}), run / "results.json")
    assert verification_of(run) is None
    for text in ("[]", "{", "null", '"text"'):
        (run / "verified.json").write_text(text, encoding="utf-8")
        assert verification_of(run) is None


def test_a_run_that_did_not_finish_is_no_result(run: Path, tmp_path: Path) -> None:
    save(made_record(exit_state="interrupted"), run / "results.json")
    with pytest.raises(UserError, match="is no result: it is interrupted; go on with --resume"):
        collect(run, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_diverged_run_is_a_result(run: Path, tmp_path: Path) -> None:
    save(made_record([], exit_state="diverged"), run / "results.json")
    kept = collect(run, tmp_path / "results")
    assert json.loads((kept / "results.json").read_bytes())["exit_state"] == "diverged"


def test_a_folder_without_a_valid_record_is_refused(run: Path, tmp_path: Path) -> None:
    save(made_record() | {"metrics": "none"}, run / "results.json")
    with pytest.raises(UserError, match="is not a valid record: metrics"):
        collect(run, tmp_path / "results")
    (run / "results.json").unlink()
    with pytest.raises(UserError, match="cannot read"):
        collect(run, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_runs_that_differ_are_kept_apart(run: Path, tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [{}, {"seed": 1}, {"fraction": 0.5}, {"scale": "tiny"}, {"overrides": {"steps": 3}}]
    changes += [{"dataset": "mnist"}, {"recipe": "made/other"}, {"method": "other"}]
    kept = set()
    for change in changes:
        save(made_record(**change), run / "results.json")
        kept.add(collect(run, tmp_path / "results"))
    assert len(kept) == len(changes)


def test_a_folder_that_cannot_be_made_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write"):
        collect(run, tmp_path / "results")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', '{"a": [[1]]}', '{"a": [["x", 1]]}'])
def test_curves_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "curves.json").write_text(text, encoding="utf-8")
    assert curves_of(tmp_path) == {}


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "3", '{"step": 1}', '{"metrics": []}\n{"metrics": [{}]}', '{"step": 1, "metrics": [{"value": 1}]}'],
)
def test_evaluations_that_cannot_be_read_are_no_curves(run: Path, tmp_path: Path, line: str) -> None:
    with (run / "evaluations.jsonl").open("a", encoding="utf-8") as handle:
        handle.write(line)
    assert curves_of(run) == {}
    assert not (collect(run, tmp_path / "results") / "curves.json").exists()


def test_curves_in_other_encodings_are_none(tmp_path: Path) -> None:
    (tmp_path / "curves.json").write_bytes(b"\xff\xfe")
    assert curves_of(tmp_path) == {}


def test_a_folder_without_samples_has_none(tmp_path: Path) -> None:
    assert samples_of(tmp_path) is None
