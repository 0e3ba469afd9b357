"""The whole board, and the Markdown and CSV that are made from it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pandas
import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog
from harness.leaderboard import markdown
from harness.leaderboard.board import Board, gather
from harness.leaderboard.spreadsheet import COLUMNS, csv_text
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


def test_cells_show_the_printed_number_beside_ours(tmp_path: Path, catalog: Catalog) -> None:
    (dataset,) = [d for d in board(tmp_path, catalog, lcsa(9.9)).datasets if d.dataset == "cifar10"]
    text = markdown.dataset(dataset)
    assert "9.9 (3.51 printed: WORSE)" in text
    assert f"| {PRINTED} " in text


# -- Markdown --------------------------------------------------------------------------------------------


def cells(line: str) -> list[str]:
    """A pipe table's cells."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


NASTY = "made/<script>alert(1)</script>|x*_`[a](b)"


@pytest.mark.parametrize("name", [NASTY, "made/a&b", "made/a\nb", "made/a\\|b"])
def test_names_from_files_are_text_and_break_no_table(tmp_path: Path, catalog: Catalog, name: str) -> None:
    record = made_record(recipe=name, dataset="digits", method="made")
    (dataset,) = [d for d in board(tmp_path, catalog, record).datasets if d.dataset == "digits"]
    text = markdown.dataset(dataset)
    outside = [line for line in text.splitlines() if "`" not in line.replace("\\`", "")]
    assert not any(re.search(r"<|(?<!\\)\]\(", line) for line in outside)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


def test_only_a_row_that_leads_is_bold(tmp_path: Path, catalog: Catalog) -> None:
    records = [
        made_record([made_entry(value=base + seed / 10)], recipe=f"made/{name}", seed=seed)
        for name, base in (("good", 1), ("bad", 9))
        for seed in range(3)
    ]
    (dataset,) = [d for d in board(tmp_path, catalog, *records).datasets if d.dataset == "digits"]
    good, bad = [line for line in markdown.dataset(dataset).splitlines() if line.startswith(("| 1", "| 2"))]
    assert "**1.1 ± 0.058**" in good
    assert "9.1 ± 0.058" in bad
    assert "**" not in bad


def test_the_index_counts_results_and_verdicts(tmp_path: Path, catalog: Catalog) -> None:
    save({"a": 1}, tmp_path / "bro|ken.json")
    text = markdown.index(board(tmp_path, catalog, lcsa(3.5)))
    assert text.startswith("# Leaderboards\n\n1 result. ")
    assert "| [cifar10](cifar10.md) " in text
    (line,) = [line for line in text.splitlines() if line.startswith("| lcsa")]
    assert cells(line)[:5] == ["lcsa", "342", "24", "1", "0"]
    assert "- bro&#124;ken.json: is not the record of a run: it has no schema\\_version" in text


# -- CSV -------------------------------------------------------------------------------------------------


def test_the_csv_reads_back(tmp_path: Path, catalog: Catalog) -> None:
    found = board(tmp_path, catalog, *(lcsa(3.5 + seed / 100, seed, overrides={"a": 'x"\n,y'}) for seed in range(3)))
    (dataset,) = [d for d in found.datasets if d.dataset == "cifar10"]
    frame = pandas.read_csv(io.StringIO(csv_text(dataset)))
    assert tuple(frame.columns) == COLUMNS
    (line,) = frame.to_dict("records")
    assert line["mean"] == pytest.approx(3.51)
    assert line["error"] == pytest.approx(0.01 / 3**0.5)
    assert (line["seeds"], line["printed"], line["printed_id"]) == ("0 1 2", 3.51, PRINTED)
    assert (line["recipe"], line["device_hours"], line["badge"]) == (RECIPE, 0.01, "self-reported")
    assert line["changes"] == 'a=x"\n,y'
