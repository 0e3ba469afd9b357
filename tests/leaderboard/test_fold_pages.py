"""Pages of experiments that hold out one part of the data at a time."""

from __future__ import annotations

from pathlib import Path

from made_records import made_entry, made_record, save

from harness.catalog import Catalog
from harness.leaderboard.board import gather
from harness.leaderboard.page import write_pages


def test_a_page_shows_each_folds_own_number(tmp_path: Path, catalog: Catalog) -> None:
    for n in (1, 2):
        save(made_record([made_entry(value=n + 0.25)], fold=f"{n}/2"), tmp_path / "in" / str(n) / "results.json")
    write_pages(gather([tmp_path / "in"], catalog), tmp_path)
    text = (tmp_path / "digits.html").read_text(encoding="utf-8")
    for n in (1, 2):
        row = text.partition(f'<th scope="row">0 with fold {n}/2</th>')[2].partition("</tr>")[0]
        assert f">{n}.25</td>" in row
    assert "1 seed on 2 of 2 folds" in text
    assert "folds share most of their training items" in text
