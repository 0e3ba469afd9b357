"""The whole board: data sets, printed numbers and what became of them, problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog
from harness.experiment import file_name
from harness.leaderboard.board import Board, gather
from harness.results.verdicts import Outcome

RECIPE = "lcsa/biggan-d1024"
#: tFID of BigGAN+LCSA on CIFAR-10 in Table 7 is 3.51
PRINTED = "lcsa/table-07/14"


def lcsa(value: float, seed: int = 0, **changes: Any) -> dict[str, Any]:
    entry = made_entry("fid", value, protocol=PRINTED_FID)
    return made_record([entry], recipe=RECIPE, method="lcsa", dataset="cifar10", seed=seed) | changes


def board(tmp_path: Path, catalog: Catalog, *records: dict[str, Any]) -> Board:
    for number, record in enumerate(records):
        save(record, tmp_path / str(number) / "results.json")
    return gather([tmp_path], catalog)


def test_a_printed_number_gets_the_best_of_its_verdicts(tmp_path: Path, catalog: Catalog) -> None:
    found = board(tmp_path, catalog, lcsa(90.0), lcsa(3.5, 1, scale="tiny"), lcsa(3.5, 2) | {"exit_state": "diverged"})
    outcomes = {number.reference.id: number for number in found.printed}
    assert outcomes[PRINTED].outcome is Outcome.WORSE
    better = board(tmp_path / "more", catalog, lcsa(3.45, settings={"steps": 11}), lcsa(90.0))
    outcomes = {number.reference.id: number for number in better.printed}
    assert outcomes[PRINTED].outcome is Outcome.REPRODUCED
    assert outcomes["lcsa/table-07/1"].why == "no recipe here does what it was printed for"
    assert outcomes["lcsa/table-07/17"].why == f"no run of {RECIPE}"


def test_data_sets_with_printed_numbers_only_are_there_without_tables(tmp_path: Path, catalog: Catalog) -> None:
    found = board(tmp_path, catalog, lcsa(3.5))
    by_name = {dataset.dataset: dataset for dataset in found.datasets}
    assert by_name["cifar10"].tables
    assert not by_name["stacked_mnist"].tables
    assert by_name["stacked_mnist"].printed
    assert len(found.printed) == sum(len(dataset.printed) for dataset in found.datasets) >= 1600
    assert (found.results, found.skipped, found.problems) == (1, (), ())


#: runs of one experiment each, the best first
EVERY = {
    Outcome.REPRODUCED: [lcsa(3.5)],
    Outcome.BETTER: [lcsa(1.0)],
    Outcome.INCONCLUSIVE: [lcsa(2.0), lcsa(5.0, 1)],
    Outcome.WORSE: [lcsa(90.0)],
    Outcome.NOT_COMPARABLE: [lcsa(3.5, scale="tiny")],
    Outcome.NOT_RUN: [lcsa(0.0, metrics=[made_entry("kid", protocol=PRINTED_FID)])],
}


@pytest.mark.parametrize("best", EVERY)
def test_of_several_verdicts_the_best_is_shown(tmp_path: Path, catalog: Catalog, best: Outcome) -> None:
    outcomes = list(EVERY)
    left = outcomes[outcomes.index(best) :]
    records = [record | {"settings": {"steps": n}} for n, outcome in enumerate(left) for record in EVERY[outcome]]
    found = board(tmp_path, catalog, *reversed(records))
    (number,) = [number for number in found.printed if number.reference.id == PRINTED]
    assert number.outcome is best
    (row, *_) = [row for d in found.datasets for table in d.tables for row in table.rows if row.first in records]
    assert number.why in {v.why for d in found.datasets for t in d.tables for row in t.rows for v in row.verdicts}
    assert row.verdicts


def test_every_row_stands_on_its_own_data_set_and_diverged_ones_apart(tmp_path: Path, catalog: Catalog) -> None:
    records = [made_record(recipe=f"made/{name}", dataset=name) for name in ("digits", "mnist")]
    records += [made_record(recipe="made/second", dataset="digits")]
    records += [made_record([], recipe="made/lost", dataset=name, exit_state="diverged") for name in ("mnist", "gone")]
    found = {dataset.dataset: dataset for dataset in board(tmp_path, catalog, *records).datasets}
    shown = {
        name: (
            [row.runs.recipe for table in found[name].tables for row in table.rows],
            [row.runs.recipe for row in found[name].diverged],
            found[name].rows,
        )
        for name in ("digits", "mnist", "gone")
    }
    assert shown == {
        "digits": (["made/digits", "made/second"], [], 2),
        "mnist": (["made/mnist"], ["made/lost"], 1),
        "gone": ([], ["made/lost"], 0),
    }
    assert list(found) == sorted(found)
    assert all(n.reference.dataset == name for name, dataset in found.items() for n in dataset.printed)


def test_a_data_sets_files_have_a_name_that_is_one_part_of_a_path(tmp_path: Path, catalog: Catalog) -> None:
    (found,) = [d for d in board(tmp_path, catalog, made_record(dataset="folder:../x y")).datasets if d.tables]
    assert (found.dataset, found.file) == ("folder:../x y", file_name("folder:../x y"))
    assert not set(found.file) & set("/ :")


def test_papers_that_cannot_be_read_are_problems_and_files_are_left_out(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.leaderboard.board.open_references", lambda _: ([], ["smith: no protocols.toml"]))
    save({"a": 1}, tmp_path / "other.json")
    found = board(tmp_path, catalog, made_record())
    assert [skipped.path.name for skipped in found.skipped] == ["other.json"]
    assert (found.problems, found.printed, found.results) == (("smith: no protocols.toml",), (), 1)
