"""``harness leaderboard`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_records import made_entry, made_record, save


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two good results, and three that are not."""
    folder = tmp_path / "results"
    for seed in range(2):
        save(made_record([made_entry(value=seed + 1.0)], seed=seed), folder / f"s{seed}" / "results.json")
    save(made_record(seed=1), folder / "twin" / "results.json")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    save(made_record() | {"schema_version": 0}, folder / "old.json")
    return folder


FILES = {"index.md", "index.html", "digits.md", "digits.csv", "digits.html"}


def test_everything_is_built_and_what_is_left_out_is_named(harness: Any, results: Path, tmp_path: Path) -> None:
    code, out, err = harness("leaderboard", "--results", results, "--out", tmp_path / "board")
    assert code == 0
    assert {path.name for path in (tmp_path / "board").iterdir()} == FILES
    assert out.splitlines()[0] == "2 results in 1 row of 1 table, 3 files left out"
    assert out.splitlines()[1:] == [
        f"pages  {tmp_path / 'board' / 'index.html'}",
        f"tables {tmp_path / 'board' / 'index.md'}",
    ]
    warnings = err.splitlines()
    assert len(warnings) == 3
    for name in ("broken.json", "old.json", "twin/results.json"):
        assert any(line.startswith("warning: ") and name in line for line in warnings)
    assert "1.5 ± 0.5" in (tmp_path / "board" / "digits.md").read_text(encoding="utf-8")


def test_the_answer_as_data(harness: Any, results: Path, tmp_path: Path) -> None:
    found = json.loads(harness("leaderboard", "--results", results, "--out", tmp_path / "board", "--json").out)
    assert (found["results"], found["rows"], found["tables"], found["problems"]) == (2, 1, 1, [])
    reasons = {str(Path(each["path"]).relative_to(results)): each["reason"] for each in found["skipped"]}
    assert set(reasons) == {"broken.json", "old.json", "twin/results.json"}
    assert "schema_version 0" in reasons["old.json"]
    assert "is not the record of a run" in reasons["broken.json"]
    assert {Path(path).name for path in found["written"]} == FILES


def test_runs_are_kept_below_the_pages_and_shown(harness: Any, results: Path, tmp_path: Path) -> None:
    board = tmp_path / "board"
    code, _, err = harness("leaderboard", "--add", results / "s0", "--add", results / "s1", "--out", board)
    assert code == 0
    assert len(err.splitlines()) == 2
    kept = sorted(str(path.relative_to(board)) for path in board.rglob("results.json"))
    assert kept == [f"results/made/digits/plain-paper-s{seed}/results.json" for seed in range(2)]
    assert harness("leaderboard", "--out", board).out.startswith("2 results in 1 row of 1 table")


def test_building_again_keeps_other_files(harness: Any, results: Path, tmp_path: Path) -> None:
    board = tmp_path / "board"
    board.mkdir()
    (board / "README.md").write_text("mine", encoding="utf-8")
    harness("leaderboard", "--results", results, "--out", board)
    assert (board / "README.md").read_text(encoding="utf-8") == "mine"


def test_mistakes_are_one_line(refused: Any, results: Path, tmp_path: Path) -> None:
    assert "no results at leaderboards/results" in refused("leaderboard")
    assert "no results at" in refused("leaderboard", "--results", tmp_path / "nowhere")
    assert "cannot read" in refused("leaderboard", "--add", tmp_path / "nowhere", "--out", tmp_path / "board")
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = refused("leaderboard", "--results", results, "--out", tmp_path / "file")
    assert said.startswith(f"error: cannot write in {tmp_path / 'file'}: ")


def test_no_results_make_an_empty_index(harness: Any, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    code, out, _ = harness("leaderboard", "--results", tmp_path / "none", "--out", tmp_path / "board")
    assert (code, out.splitlines()[0]) == (0, "0 results in 0 rows of 0 tables, 0 files left out")
    assert {path.name for path in (tmp_path / "board").iterdir()} == {"index.md", "index.html"}


def test_several_folders_and_files_make_one_board(harness: Any, results: Path, tmp_path: Path) -> None:
    words = [part for seed in range(2) for part in ("--results", results / f"s{seed}" / "results.json")]
    code, out, err = harness("leaderboard", *words, "--results", results / "s1", "--out", tmp_path / "board")
    assert (code, out.splitlines()[0]) == (0, "2 results in 1 row of 1 table, 0 files left out")
    assert err == ""


def test_a_papers_broken_folder_is_a_warning(harness: Any, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_results import plugin

    monkeypatch.setitem(plugin.CITATIONS, "lost", "nowhere")
    code, out, err = harness("leaderboard", "--results", results / "s0", "--json")
    (problem,) = json.loads(out)["problems"]
    assert "references of 'lost' from plugin 'reference_results' are left out: cannot read" in problem
    assert (code, err) == (0, f"warning: {problem}\n")
