"""The committed tables and pages are those that the command makes from the committed results."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import pytest

from harness.catalog import open_catalog
from harness.cli import main
from harness.leaderboard.artefacts import verification_of
from harness.leaderboard.reading import read_results

LEADERBOARDS = Path(__file__).parents[2] / "leaderboards"


def test_the_committed_tables_equal_what_the_command_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "leaderboards"
    shutil.copytree(LEADERBOARDS / "results", out / "results")
    assert main(["leaderboard", "--out", str(out)]) == 0
    assert capsys.readouterr().err == ""  # nothing is left out
    made = {path.name for path in out.iterdir()} - {"results"}
    committed = {path.name for path in LEADERBOARDS.iterdir()} - {"results", "README.md"}
    assert made == committed
    _, different, unreadable = filecmp.cmpfiles(LEADERBOARDS, out, sorted(made), shallow=False)
    assert (different, unreadable) == ([], []), "run: harness leaderboard"


def test_the_committed_results_are_of_known_recipes_finished_and_verified() -> None:
    catalog = open_catalog()
    recipes = {recipe.id for recipe in catalog.recipes()}
    files, skipped = read_results([LEADERBOARDS / "results"], catalog)
    assert skipped == []
    assert len(files) >= 12
    for file in files:
        assert file.record["recipe"] in recipes
        assert file.record["exit_state"] == "finished"
        assert verification_of(file.path.parent) is not None
        assert bool(file.curves) is (file.record["settings"]["evaluation"]["every"] > 0)
        assert file.samples is not None or file.record["cost"]["images_seen"] == 0  # nothing was trained
