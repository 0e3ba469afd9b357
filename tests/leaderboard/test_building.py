"""Building writes an index and three files a data set, each with a name of its own, and leaves all others alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_records import made_record, save

from harness.catalog import Catalog
from harness.errors import UserError
from harness.leaderboard.board import Board, gather
from harness.leaderboard.building import build


@pytest.fixture
def board(tmp_path: Path, catalog: Catalog) -> Board:
    """Results on two data sets, and printed numbers on many more."""
    for name in ("digits", "ring2d"):
        save(made_record(dataset=name, recipe="made/plain"), tmp_path / "r" / name / "results.json")
    return gather([tmp_path / "r"], catalog)


def test_data_sets_whose_names_differ_in_punctuation_have_files_of_their_own(tmp_path: Path, catalog: Catalog) -> None:
    names = ("folder:a/b", "folder:a_b", "folder_a_b")
    for name in names:
        save(made_record(dataset=name, recipe="made/plain"), tmp_path / "r" / str(names.index(name)) / "results.json")
    board = gather([tmp_path / "r"], catalog)
    written = [path.name for path in build(board, tmp_path / "out")]
    assert len(written) == len(set(written)) == len(list((tmp_path / "out").iterdir()))
    assert len([name for name in written if name.endswith(".html")]) == 1 + len(names)


def test_a_data_set_called_index_does_not_replace_the_index(tmp_path: Path, catalog: Catalog) -> None:
    save(made_record(dataset="index"), tmp_path / "r" / "results.json")
    build(gather([tmp_path / "r"], catalog), tmp_path / "out")
    assert (tmp_path / "out" / "index.md").read_text(encoding="utf-8").startswith("# Leaderboards")


def test_each_data_set_with_results_has_three_files_beside_the_index(tmp_path: Path, board: Board) -> None:
    out = tmp_path / "not" / "yet"
    written = build(board, out)
    expected = {f"{name}.{kind}" for name in ("digits", "ring2d") for kind in ("md", "csv", "html")}
    assert (
        {path.name for path in written}
        == {path.name for path in out.iterdir()}
        == {"index.md", "index.html"} | expected
    )
    assert {path.parent for path in written} == {out}
    assert len(board.datasets) > 2  # of printed numbers alone there is no file


def test_building_again_replaces_its_own_files_and_no_others(tmp_path: Path, board: Board) -> None:
    out = tmp_path / "out"
    first = {path: path.read_text(encoding="utf-8") for path in build(board, out)}
    for path in first:
        path.write_text("old", encoding="utf-8")
    (out / "gone.md").write_text("mine", encoding="utf-8")
    assert {path: path.read_text(encoding="utf-8") for path in build(board, out)} == first
    assert (out / "gone.md").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("spoil", ["index.md", "digits.csv", "digits.html"])
def test_a_folder_that_does_not_take_a_file_is_one_line(tmp_path: Path, board: Board, spoil: str) -> None:
    (tmp_path / "out" / spoil).mkdir(parents=True)
    with pytest.raises(UserError, match=r"^cannot write in .*out: Is a directory; choose another --out$"):
        build(board, tmp_path / "out")


def test_a_file_in_the_place_of_the_folder_is_kept(tmp_path: Path, board: Board) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="choose another --out"):
        build(board, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
