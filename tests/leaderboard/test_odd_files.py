"""Files that say odd things: they are named and left out, or shown as they are, and take no others down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog, open_catalog
from harness.leaderboard.artefacts import collect, curves_of, verification_of
from harness.leaderboard.board import gather
from harness.leaderboard.building import build
from harness.leaderboard.reading import read_results

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "change",
    [
        {"coordinates": {}},
        {"coordinates": {"dataset": "digits", "fraction": "all", "fold": None, "seed": 0}},
        {"coordinates": {"dataset": "digits", "fraction": None, "fold": None, "seed": 0}},
        {"cost": {"parameters": 5}},
        {"cost": {"images_seen": None}},
        {"cost": {"training_seconds": "long"}},
        {"cost": {"images_seen": 10**400}},
        {"data": {"name": "digits", "notes": None}},
        {"data": {"name": "digits", "notes": ["lossy"]}},
        {"environment": {"device": "cpu", "threads": "1; boom"}},
        {"environment": {"packages": ["torch"]}},
        {"seed": 1},
        {"metrics": [made_entry(), made_entry()]},
        {"metrics": [made_entry() | {"evaluation": 1}]},
        {"settings": {"a": json.loads("[" * 50 + "]" * 50)}},
    ],
)
def test_a_valid_record_with_a_field_of_another_kind_takes_no_others_down(
    tmp_path: Path, catalog: Catalog, change: dict[str, Any]
) -> None:
    save(made_record(recipe="made/good"), tmp_path / "r" / "good.json")
    save(made_record() | change, tmp_path / "r" / "odd.json")
    board = gather([tmp_path / "r"], catalog)
    assert [skipped.name for skipped in board.skipped] == ["r/odd.json"]
    build(board, tmp_path / "out")
    assert "made/good" in (tmp_path / "out" / "digits.md").read_text(encoding="utf-8")


def test_a_file_nested_beyond_pythons_depth_is_named_and_left_out(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "good.json")
    (tmp_path / "deep.json").write_text(DEEP, encoding="utf-8")
    found, skipped = read_results([tmp_path], open_catalog())
    assert (len(found), [each.path.name for each in skipped]) == (1, ["deep.json"])


@pytest.mark.parametrize("text", [DEEP, '{"a": [[Infinity, 1]]}', '{"a": [[1e400, 1]]}'])
def test_odd_curves_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "curves.json").write_text(text, encoding="utf-8")
    assert curves_of(tmp_path) == {}


def test_an_odd_verification_is_none(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "results.json")
    (tmp_path / "verified.json").write_text(DEEP, encoding="utf-8")
    assert verification_of(tmp_path) is None


def test_a_curve_that_is_not_finite_is_no_traceback(tmp_path: Path) -> None:
    save(made_record(), tmp_path / "run" / "results.json")
    line = {"step": 1, "metrics": [{"protocol_id": "fd", "value": float("nan")}]}
    (tmp_path / "run" / "evaluations.jsonl").write_text(json.dumps(line), encoding="utf-8")
    folder = collect(tmp_path / "run", tmp_path / "results")
    assert curves_of(folder) == {}


@pytest.mark.parametrize("change", [{"recipe": "made/\ud800"}, {"dataset": f"folder:{'x' * 300}"}])
def test_a_name_that_no_file_can_hold_takes_no_others_down(
    tmp_path: Path, catalog: Catalog, change: dict[str, Any]
) -> None:
    save(made_record(recipe="made/good"), tmp_path / "r" / "good.json")
    save(made_record() | change, tmp_path / "r" / "odd.json")
    build(gather([tmp_path / "r"], catalog), tmp_path / "out")
    assert "made/good" in (tmp_path / "out" / "digits.md").read_text(encoding="utf-8")


#: what a careless or malicious hand may put in the place of any value
ODD = [
    None,
    True,
    0,
    -1,
    1,
    10**400,
    0.5,
    1e300,
    -1e-300,
    1e308,
    "",
    "x" * 300,
    "../..",
    "<b>\ud800",
    [],
    [None],
    {},
    {"a": {}},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside another."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy with another value at a place."""
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("number", range(len(ODD)))
def test_no_odd_value_at_any_place_takes_others_down(tmp_path: Path, catalog: Catalog, number: int) -> None:
    changes: dict[str, Any] = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "overrides": {"steps": 7}}
    plain = made_record([made_entry("fid", 3.5, protocol=PRINTED_FID, std_error=0.1)], dataset="cifar10", **changes)
    plain["evaluations"] = [{"settings": {"every": 0}, "environment": plain["environment"]}]
    plain["metrics"][0]["details"] = {"trace": 1.0}
    for count, path in enumerate(places(plain)):
        save(changed(plain, path, ODD[number]), tmp_path / "r" / f"{count:03}" / "results.json")
    save(made_record(dataset="cifar10", recipe="made/good"), tmp_path / "r" / "good" / "results.json")
    board = gather([tmp_path / "r"], catalog)
    build(board, tmp_path / "out")
    assert board.results + len(board.skipped) == count + 2
    assert "made/good" in (tmp_path / "out" / "cifar10.md").read_text(encoding="utf-8")
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert {name for name in written if not name.startswith("samples")} >= {"index.md", "index.html", "cifar10.csv"}
