"""Rows and tables: which numbers stand beside each other, and which never do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from made_records import made_entry, made_record

from harness.catalog import Catalog
from harness.leaderboard.reading import ResultFile
from harness.leaderboard.rows import Row, make_rows
from harness.leaderboard.tables import Table, make_tables

A, B, C = {"extractor": "a"}, {"extractor": "b"}, {"extractor": "c"}


def rows(*records: Mapping[str, Any], verified: tuple[int, ...] = ()) -> list[Row]:
    files = [
        ResultFile(Path(f"{n}/results.json"), record, {}, None, {} if n in verified else None)
        for n, record in enumerate(records)
    ]
    return make_rows(files, [], Catalog.__new__(Catalog))


def tables(*records: Mapping[str, Any]) -> list[Table]:
    return make_tables(rows(*records))


def record(name: str, *entries: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return made_record(entries, recipe=f"made/{name}", **changes)


def names(table: Table) -> list[str]:
    return [row.runs.recipe.removeprefix("made/") for row in table.rows]


def fd(value: float, protocol: Mapping[str, Any] = A, **changes: Any) -> dict[str, Any]:
    return made_entry("fd", value, protocol=protocol, **changes)


def test_rows_of_one_protocol_stand_in_one_table_the_best_first() -> None:
    (table,) = tables(record("worse", fd(3.0)), record("best", fd(1.0)), record("middle", fd(2.0)))
    assert names(table) == ["best", "middle", "worse"]
    (column,) = table.columns
    assert (column.metric, column.label, column.arrow, column.headline) == ("fd", "fd", "↓", True)


def test_where_higher_is_better_the_highest_is_first_and_rows_without_the_number_last() -> None:
    only_is = made_entry("is", 5.0, protocol=A, better=True)
    other = made_entry("kid", 1.0, protocol=A)
    (table,) = tables(
        record("low", {**only_is, "value": 2.0}, other),
        record("none", other),
        record("high", {**only_is, "value": 7.0}, other),
    )
    assert names(table) == ["high", "low", "none"]
    assert [cells[0] is None for cells in table.cells] == [False, False, True]


def test_rows_that_disagree_on_a_protocol_never_share_a_table() -> None:
    found = tables(record("a1", fd(1.0)), record("b", fd(0.5, B)), record("a2", fd(2.0)))
    assert [names(table) for table in found] == [["a1", "a2"], ["b"]]
    for table in found:
        assert len({column.key for column in table.columns}) == len(table.columns) == 1


def test_a_row_that_measured_less_stands_with_those_that_measured_more() -> None:
    (table,) = tables(record("one", fd(1.0)), record("both", fd(2.0), fd(9.0, B)))
    assert names(table) == ["one", "both"]
    assert [column.label for column in table.columns] == ["fd (a)", "fd (b)"]
    assert [column.headline for column in table.columns] == [True, False]


def test_rows_that_each_measured_what_the_other_did_not_disagree() -> None:
    found = tables(record("ab", fd(1.0), fd(1.0, B)), record("ac", fd(1.0), fd(1.0, C)))
    assert sorted(map(names, found)) == [["ab"], ["ac"]]


def test_rows_that_share_nothing_stand_apart() -> None:
    found = tables(record("fd", fd(1.0)), record("is", made_entry("is", 1.0, protocol=A)))
    assert sorted(map(names, found)) == [["fd"], ["is"]]


@pytest.mark.parametrize("changes", [{"dataset": "mnist"}, {"scale": "tiny"}, {"fraction": 0.1}])
def test_other_data_scales_and_fractions_stand_apart(changes: dict[str, Any]) -> None:
    found = tables(record("x", fd(1.0)), record("x", fd(1.0), **changes))
    assert len(found) == 2
    assert len({(table.dataset, table.title) for table in found}) == 2


def test_protocols_that_only_a_hidden_field_tells_apart_are_told_apart() -> None:
    other = {**fd(1.0), "protocol": {"metric": "fd", "extractor": "a", "real_checksum": "abc"}}
    (table,) = tables(record("x", fd(1.0), other))
    assert [column.label for column in table.columns] == ["fd", 'fd [real_checksum="abc"]']


def test_seeds_are_one_row_and_ranks_come_from_them() -> None:
    made = [record("good", fd(1 + seed / 10), seed=seed) for seed in range(3)]
    made += [record("bad", fd(9 + seed / 10), seed=seed) for seed in range(3)]
    made += [record("single", fd(5.0))]
    (table,) = tables(*made)
    assert names(table) == ["good", "single", "bad"]
    cells = [cells[0] for cells in table.cells]
    assert [(cell.rank, cell.leads) for cell in cells if cell] == [(1, True), (None, False), (2, False)]
    assert cells[0] is not None
    assert cells[0].text == "1.1 ± 0.058"


def test_nobody_leads_where_nobody_can_be_told_apart() -> None:
    made = [record(name, fd(1 + seed / 10), seed=seed) for name in ("a", "b") for seed in range(3)]
    (table,) = tables(*made)
    assert [cells[0].leads for cells in table.cells if cells[0]] == [False, False]
    assert [cells[0].rank for cells in table.cells if cells[0]] == [1, 1]


def test_subjects_are_rows_and_labels_say_what_differs() -> None:
    raw = {"weights": "raw", "checkpoint": "last"}
    (table,) = tables(record("x", fd(1.0), fd(2.0, subject=raw)), record("y", fd(3.0)))
    assert table.labels == ("made/x weights=ema", "made/x weights=raw", "made/y weights=ema")


def test_what_all_rows_share_is_not_in_their_labels() -> None:
    (table,) = tables(record("x", fd(1.0)), record("y", fd(3.0), overrides={"steps": 3, "evaluation.every": 2}))
    assert table.labels == ("made/x", "made/y steps=3")


def test_a_diverged_run_is_a_row_without_numbers_and_in_no_table() -> None:
    (row,) = rows(record("x", exit_state="diverged"))
    assert (dict(row.numbers), row.verdicts) == ({}, ())
    assert make_tables([row]) == []


def test_the_badge_needs_every_seed_verified() -> None:
    two = [record("x", fd(1.0), seed=seed) for seed in (0, 1)]
    assert [row.badge for row in rows(*two, verified=(0, 1))] == ["verified"]
    assert [row.badge for row in rows(*two, verified=(0,))] == ["self-reported"]


def test_costs_are_means_over_seeds() -> None:
    cost = {
        "parameters": {"generator": 5, "discriminator": 7},
        "images_seen": 100,
        "training_seconds": 1800.0,
        "devices": 2,
    }
    (row,) = rows(
        record("x", fd(1.0), cost=cost), record("x", fd(1.0), seed=1, cost={**cost, "images_seen": 300, "devices": 4})
    )
    assert (row.parameters, row.images_seen, row.device_hours, row.device) == (12, 200.0, 1.5, "CPU")
    (gpu,) = rows(record("x", fd(1.0), environment={"device": "cuda:0"}))
    assert gpu.device == "GPU"
