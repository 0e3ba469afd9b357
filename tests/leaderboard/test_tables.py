"""Tables: which numbers stand beside each other, and which never do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from made_records import PRINTED_FID, made_entry, made_record

from harness.catalog import Catalog
from harness.leaderboard.reading import ResultFile
from harness.leaderboard.rows import Row, make_rows
from harness.leaderboard.tables import Table, make_tables
from harness.results.references import open_references

A, B, C = {"extractor": "a"}, {"extractor": "b"}, {"extractor": "c"}


def rows(*records: Mapping[str, Any]) -> list[Row]:
    files = [ResultFile(Path(f"{n}/results.json"), record, {}, None, None) for n, record in enumerate(records)]
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


def test_a_diverged_run_is_in_no_table() -> None:
    assert tables(record("x", exit_state="diverged")) == []


def test_a_row_between_two_that_disagree_stands_with_the_one_that_was_first() -> None:
    found = tables(record("one", fd(1.0)), record("ab", fd(2.0), fd(1.0, B)), record("ac", fd(3.0), fd(1.0, C)))
    assert [names(table) for table in found] == [["one", "ab"], ["ac"]]


def test_a_row_needs_to_agree_with_all_rows_of_a_table() -> None:
    second = made_entry("is", 1.0, protocol=A, better=True)
    found = tables(
        record("x", fd(1.0), fd(1.0, B), second), record("y", fd(2.0), second), record("z", fd(3.0), fd(1.0, C))
    )
    assert [names(table) for table in found] == [["x", "y"], ["z"]]


def test_a_row_that_measured_more_of_one_metric_and_less_of_others_is_no_stranger() -> None:
    others = [made_entry(metric, 1.0, protocol=A, better=True) for metric in ("is", "kid")]
    (table,) = tables(record("wide", fd(1.0), *others), record("deep", fd(2.0), fd(1.0, B)))
    assert names(table) == ["wide", "deep"]


def test_the_largest_row_is_placed_first_whatever_it_is_called() -> None:
    more = made_entry("is", 1.0, protocol=A, better=True)
    found = tables(record("a", fd(1.0)), record("b", fd(1.0), fd(1.0, B)), record("c", fd(1.0), fd(1.0, C), more))
    assert [names(table) for table in found] == [["a", "c"], ["b"]]


def test_the_order_of_files_does_not_matter() -> None:
    made = [
        record("c", fd(1.0), fd(1.0, C)),
        record("b", fd(1.0), fd(1.0, B)),
        record("a", fd(1.0)),
        record("d", fd(1.0)),
    ]
    found = {tuple(tuple(names(table)) for table in tables(*some)) for some in itertools.permutations(made)}
    assert found == {(("a", "b", "d"), ("c",))}


def test_the_order_of_a_protocols_fields_does_not_matter() -> None:
    one, two = {"extractor": "a", "split": "b"}, {"split": "b", "extractor": "a"}
    (table,) = tables(record("x", fd(1.0, one)), record("y", fd(2.0, two)))
    assert len(table.columns) == 1


def test_tables_stand_by_data_set_scale_falling_fraction_and_size() -> None:
    places = [
        {"dataset": dataset, "scale": scale, "fraction": fraction}
        for dataset in ("b", "a")
        for scale in ("tiny", "paper")
        for fraction in (0.1, 1.0, 0.5)
    ]
    made = [record(name, fd(1.0), **place) for place in places for name in ("x", "y")]
    made += [record("alone", fd(1.0, B), **place) for place in places]
    found = [(t.dataset, t.title, len(t.rows)) for t in tables(*made)]
    titles = [f"{scale} scale{part}" for scale in ("paper", "tiny") for part in ("", *PARTS)]
    assert found == [(dataset, title, size) for dataset in "ab" for title in titles for size in (2, 1)]


PARTS = (", 0.5 of the training data", ", 0.1 of the training data")


def test_a_number_without_direction_orders_and_ranks_nothing() -> None:
    count = made_entry("count", 0.0, protocol=A, better=None)
    made = [
        record(name, {**count, "value": shown}, fd(value + seed / 10), seed=seed)
        for name, shown, value in (("worse", 1.0, 9.0), ("better", 2.0, 1.0))
        for seed in range(2)
    ]
    (table,) = tables(*made)
    assert names(table) == ["better", "worse"]
    assert [column.arrow for column in table.columns] == ["", "↓"]
    assert [[cell.rank for cell in cells if cell] for cells in table.cells] == [[None, 1], [None, 2]]


def test_rows_of_equal_numbers_and_rows_without_one_stand_by_name() -> None:
    other = made_entry("kid", 1.0, protocol=A)
    more = made_entry("is", 1.0, protocol=A, better=True)
    made = [record(name, fd(1.0), other, more) for name in ("d", "c")] + [record("b", other, more), record("a", other)]
    (table,) = tables(*made)
    assert names(table) == ["c", "d", "a", "b"]


def test_other_metrics_do_not_lengthen_a_label() -> None:
    (table,) = tables(
        record("x", fd(1.0), made_entry("is", 1.0, protocol=B, better=True), made_entry("kid", protocol=C))
    )
    assert [column.label for column in table.columns] == ["fd", "is", "kid"]
    assert [column.headline for column in table.columns] == [True, True, True]


def test_labels_name_what_not_all_namesakes_share() -> None:
    shared = {"split": "train", "count": 9}
    (table,) = tables(
        record("x", fd(1.0, {**A, **shared}), fd(2.0, {**B, **shared}), fd(3.0, {**B, **shared, "count": 5}))
    )
    assert [column.label for column in table.columns] == ["fd (a, 9)", "fd (b, 9)", "fd (b, 5)"]


def test_every_field_that_tells_hidden_protocols_apart_is_named() -> None:
    hidden = [{"checksum": checksum, "rule": rule} for checksum, rule in (("abc", 1), ("def", 1), ("abc", 2))]
    entries = [{**fd(1.0), "protocol": {"metric": "fd", **fields}} for fields in hidden]
    (table,) = tables(record("x", *entries))
    assert [column.label for column in table.columns] == [
        'fd [checksum="abc", rule=1]',
        'fd [checksum="def", rule=1]',
        'fd [checksum="abc", rule=2]',
    ]


def test_cells_have_four_digits_and_the_error_that_there_is() -> None:
    (table,) = tables(record("x", fd(1234.567, std_error=0.0123), fd(0.123456, B), fd(1e-7, C)))
    assert [cell.text for cell in table.cells[0] if cell] == ["1235 ± 0.012", "0.1235", "1e-07"]


def test_a_printed_number_stands_in_the_one_cell_that_answers_to_it(catalog: Catalog) -> None:
    """Two numbers of ours agree with all that the paper states; a third does not."""
    wrong = {**PRINTED_FID, "quantise": "none"}
    protocols = [PRINTED_FID, {**PRINTED_FID, "rejection": "none"}, wrong]
    made = made_record(
        [made_entry("fid", 3.5, protocol=protocol) for protocol in protocols],
        recipe="lcsa/biggan-d1024",
        method="lcsa",
        dataset="cifar10",
    )
    references, _ = open_references(catalog)
    file = ResultFile(Path("results.json"), made, {}, None, None)
    (table,) = make_tables(make_rows([file], references, catalog))
    found = [[verdict.reference.id for verdict in cell.verdicts] for cell in table.cells[0] if cell]
    assert found == [["lcsa/table-07/14"], [], []]


def test_folds_stand_in_a_table_of_their_own_that_says_so() -> None:
    seven = [record("x", fd(n, {**A, "folds": 7}), fold=f"{n}/7") for n in (1, 2)]
    plain, folded = tables(record("x", fd(3.0)), *seven, record("y", fd(4.0, {**A, "folds": 7}), fold="1/7"))
    assert (plain.title, plain.folds, names(plain)) == ("paper scale", None, ["x"])
    assert (folded.title, folded.folds, names(folded)) == ("paper scale, 7 folds", 7, ["x", "y"])
    ((first,), _) = folded.cells
    assert first is not None
    assert (first.number.values, first.number.error_of, first.text) == ((1, 2), "folds", "1.5 ± 0.5")


def test_other_numbers_of_folds_never_stand_together() -> None:
    few, many = tables(*(record(f"x{n}", fd(1.0), fold=f"1/{n}") for n in (5, 3)))
    assert [table.title for table in (few, many)] == ["paper scale, 3 folds", "paper scale, 5 folds"]
