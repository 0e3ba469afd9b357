"""Tables and JSON."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from harness.cli.printing import listed, plain, print_json, shown, table
from harness.contracts.specs import RemoteFile
from harness.overrides import parse_overrides

HEADERS = ("name", "summary")


def test_columns_are_aligned_under_their_headers() -> None:
    assert table(HEADERS, [("a", "short"), ("longer", "")]).splitlines() == [
        "name    summary",
        "------  ---------",
        "a       short",
        "longer",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    assert table(HEADERS, []).splitlines() == ["name    summary", "------  ---------"]


def test_the_last_column_wraps_under_itself() -> None:
    lines = table(HEADERS, [("a", "one two three four five six")], width=28).splitlines()
    assert lines[2:] == ["a       one two three four", "        five six"]
    assert max(map(len, lines)) <= 28


def test_no_word_is_lost_however_narrow_the_terminal() -> None:
    words = "alpha beta " + "x" * 40
    assert table(HEADERS, [("a", words)], width=5).split()[5:] == words.split()


def test_nothing_is_wrapped_without_a_terminal() -> None:
    assert len(table(HEADERS, [("a", "word " * 100)]).splitlines()) == 3


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="every row needs 2 cells"):
        table(HEADERS, [("a",)])


def test_plain_goes_all_the_way_down() -> None:
    value = {"files": (RemoteFile(name="f", contents=(RemoteFile(name="g"),)),), "on": MappingProxyType({"a": (1, 2)})}
    answer = plain(value)
    assert answer["files"][0]["contents"][0]["name"] == "g"
    assert answer["on"] == {"a": [1, 2]}


def test_json_is_pure_and_refuses_what_json_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"ä": (1, None)})
    assert json.loads(capsys.readouterr().out) == {"ä": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(float("nan"))


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [([], None, "-"), (["a", "b"], None, "a, b"), (["a", "b", "c"], 2, "a, b, ... 1 more"), (["a", "b"], 2, "a, b")],
)
def test_lists_are_cut_and_counted(names: list[str], most: int | None, said: str) -> None:
    assert listed(names, most) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "null"), ("x", "x"), (True, "true"), (0.5, "0.5"), ((0.0, 0.9), "[0.0, 0.9]")]
)
def test_values_are_shown_as_they_would_be_typed(value: object, said: str) -> None:
    assert shown(value) == said
    assert plain(parse_overrides([f"key={said}"])["key"]) == plain(value)
