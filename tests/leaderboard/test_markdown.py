"""Markdown, read as GitHub's readers do (markdown-it): what a file says is text and breaks no table."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from made_records import PRINTED_FID, made_entry, made_record, save
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness.catalog import Catalog
from harness.experiment import file_name
from harness.leaderboard import markdown
from harness.leaderboard.board import Board, gather
from harness.overrides import parse_overrides
from harness.results.references import open_references
from harness.results.verdicts import Outcome

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

NASTY = "made/<script>alert(1)</script>|x*_`[a](b)"


def board(tmp_path: Path, catalog: Catalog, *records: dict[str, Any]) -> Board:
    for number, record in enumerate(records):
        save(record, tmp_path / str(number) / "results.json")
    return gather([tmp_path], catalog)


def page(tmp_path: Path, catalog: Catalog, *records: dict[str, Any]) -> str:
    """The page of the one data set that the records are of."""
    name = records[0]["dataset"]
    (dataset,) = [d for d in board(tmp_path, catalog, *records).datasets if d.dataset == name]
    return markdown.dataset(dataset)


def inlines(text: str) -> Iterator[Token]:
    """Everything inside paragraphs, headings and cells."""
    for token in READER.parse(text):
        yield from token.children or ()


def kinds(text: str) -> set[str]:
    blocks = {token.type for token in READER.parse(text) if token.type != "inline"}
    return blocks | {token.type for token in inlines(text)}


def shown(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def tables(text: str) -> list[list[list[str]]]:
    """Every table as rows of cells, as a reader sees them; the first row is its head."""
    found: list[list[list[str]]] = []
    for token in READER.parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level > 3:
            found[-1][-1].append(shown(token))
    return found


def bold(text: str) -> list[str]:
    tokens = list(inlines(text))
    return [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "strong_open"]


# -- text from files -------------------------------------------------------------------------------------


@given(st.text(alphabet="|<>[]()*`_&;\\!#1. \n\tab", min_size=1).filter(str.strip))
def test_any_text_is_read_as_it_is_and_stays_in_its_cell(value: str) -> None:
    text = f"| a | b | c |\n| - | - | - |\n| 1 | {markdown.text(value)} | 3 |\n"
    assert tables(text)[0][1] == ["1", " ".join(value.split()), "3"]
    assert {token.type for token in inlines(text)} <= {"text", "text_special"}
    line = f"- x {markdown.text(value)} y\n"
    assert [shown(token) for token in READER.parse(line) if token.type == "inline"] == [
        f"x {' '.join(value.split())} y"
    ]


@pytest.mark.parametrize("mark", "&<>|\\[]*`_")
def test_every_mark_is_text_alone_and_in_pairs(mark: str) -> None:
    for value in (mark, f"{mark}a{mark}", f"{mark}{mark}a{mark}{mark}", "&lt;", "[a](b)", "<b>"):
        text = f"| a |\n| - |\n| {markdown.text(value)} |\n"
        assert tables(text) == [[["a"], [value]]]
        assert {token.type for token in inlines(text)} <= {"text", "text_special"}
    assert "<" not in markdown.text("<b>")  # nor anything that a careless reader could take for one
    assert ">" not in markdown.text("<b>")


@pytest.mark.parametrize("name", [NASTY, "made/a&b", "made/a\nb", "made/a\\|b", "made/&lt;b&gt;", "made/``a`"])
def test_names_from_files_are_text_and_break_no_table(tmp_path: Path, catalog: Catalog, name: str) -> None:
    entry = made_entry(protocol={"extractor": name})
    plainly = made_entry(protocol={"extractor": "plain"})
    other = made_entry(protocol={"extractor": name}, subject={"weights": name})
    text = page(
        tmp_path,
        catalog,
        made_record([entry, plainly, other], recipe=name, overrides={"a": name}),
        made_record([entry], recipe="made/other"),
        made_record([], recipe=f"{name} lost", exit_state="diverged"),
    )
    plain = " ".join(name.split())
    for table in tables(text):
        assert {len(row) for row in table} == {len(table[0])}
    labels = [row[1] for table in tables(text) for row in table[1:]]
    assert any(label.startswith(f"{plain} a={plain}") for label in labels)
    assert not kinds(text) & {"html_block", "html_inline", "link_open", "image", "em_open", "fence", "code_block"}
    items = [shown(token) for token in READER.parse(text) if token.type == "inline"]
    assert any(item.startswith(f"{plain} lost: ") for item in items)
    assert f"fd ({plain}): fd[{plain}]" in items
    assert f"fd ({plain}) ↓" in tables(text)[0][0]


def test_names_of_data_sets_and_files_are_text_in_headings_and_in_the_index(tmp_path: Path, catalog: Catalog) -> None:
    name = "folder:<b>|[x](y)*_`"
    tmp_path = tmp_path / "<i>*a*"
    save({"a": 1}, tmp_path / "bro|ken[1](2)<i>.json")
    made = made_record(dataset=name)
    heading = READER.parse(page(tmp_path, catalog, made, made))[1]
    assert shown(heading) == name
    text = markdown.index(board(tmp_path, catalog, made, made))
    assert tables(text)[0][1] == [name, "1", "1"]
    assert [token.attrs["href"] for token in inlines(text) if token.type == "link_open"] == [f"{file_name(name)}.md"]
    items = [shown(token) for token in READER.parse(text) if token.type == "inline"]
    twin = "<i>*a*/1/results.json: the same experiment and seed as <i>*a*/0/results.json"
    assert twin in items
    assert "<i>*a*/bro|ken[1](2)<i>.json: is not the record of a run: it has no schema_version" in items
    assert "html_inline" not in kinds(text)


@pytest.mark.parametrize("value", ["plain", "a|b", "`", "``a`", "a`b```c``", "<b>*x*</b>", "a\n\nb"])
def test_commands_are_code_from_end_to_end(tmp_path: Path, catalog: Catalog, value: str) -> None:
    entry = {**made_entry(), "protocol_id": f"{value}[toy]{value}"}
    records = [made_record([entry], overrides={"a": value}, seed=seed) for seed in (0, 2)]
    records += [made_record([], recipe="made/lost", exit_state="diverged", overrides={"b": value})]
    (dataset,) = [d for d in board(tmp_path, catalog, *records).datasets if d.dataset == "digits"]
    code = [token.content for token in inlines(markdown.dataset(dataset)) if token.type == "code_inline"]
    (row,), (lost,) = dataset.tables[0].rows, dataset.diverged
    assert len(row.commands) == 2
    expected = [entry["protocol_id"], *row.commands, *lost.commands]
    assert code[1:] == [text.replace("\n", " ") for text in expected]  # the first is of how to read it


# -- what a table shows ----------------------------------------------------------------------------------


def three(name: str, base: float, count: int = 3) -> list[dict[str, Any]]:
    return [
        made_record([made_entry(value=base + seed / 10)], recipe=f"made/{name}", seed=seed) for seed in range(count)
    ]


def test_only_rows_that_lead_are_bold(tmp_path: Path, catalog: Catalog) -> None:
    text = page(tmp_path, catalog, *three("single", 0, 1), *three("good", 1), *three("same", 1.01), *three("bad", 9))
    ranks = [(row[0], row[1].removeprefix("made/"), row[2]) for row in tables(text)[0][1:]]
    assert ranks == [
        ("", "single", "0"),
        ("1", "good", "1.1 ± 0.058"),
        ("1", "same", "1.11 ± 0.058"),
        ("3", "bad", "9.1 ± 0.058"),
    ]
    assert bold(text) == ["1.1 ± 0.058", "1.11 ± 0.058"]


def test_nobody_is_bold_where_nobody_leads(tmp_path: Path, catalog: Catalog) -> None:
    assert bold(page(tmp_path, catalog, *three("a", 1), *three("b", 1))) == []


def test_a_row_with_all_that_is_known_of_it(tmp_path: Path, catalog: Catalog) -> None:
    cost = {"parameters": {"g": 1000, "d": 234}, "images_seen": 1234567, "training_seconds": 5400.0, "devices": 2}
    entries = [
        made_entry("count", 3.0, better=None),
        made_entry("fd", 1.23456, std_error=0.0123),
        made_entry("fd", 7.0, protocol={"extractor": "second"}),
        made_entry("is", 2.0, better=True),
    ]
    environment = {"device": "cuda", "device_name": "a card"}
    made = made_record(entries, cost=cost, environment=environment, seed=3)
    digest = hashlib.sha256(save(made, tmp_path / "0" / "results.json").read_bytes()).hexdigest()
    save({"results_sha256": digest}, tmp_path / "0" / "verified.json")
    head, row = tables(page(tmp_path, catalog, made))[0]
    wanted = ["#", "method", "count", "fd (toy) ↓", "is ↑", "parameters", "real images", "hours", "seeds", "badge"]
    assert head == wanted
    numbers = ["3", "1.235 ± 0.012", "2"]
    assert row == ["", "made/plain", *numbers, "1,234", "1,234,567", "3 GPU", "1", "verified"]


def test_the_rank_is_of_the_first_column_with_a_direction(tmp_path: Path, catalog: Catalog) -> None:
    records = [
        made_record(
            [made_entry("count", base, better=None), made_entry("fd", base + seed / 10)], recipe=name, seed=seed
        )
        for name, base in (("made/good", 1), ("made/bad", 9))
        for seed in range(2)
    ]
    assert [row[:2] for row in tables(page(tmp_path, catalog, *records))[0][1:]] == [
        ["1", "made/good"],
        ["2", "made/bad"],
    ]


def test_cells_show_the_printed_number_beside_ours(tmp_path: Path, catalog: Catalog) -> None:
    made = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10"}
    text = page(tmp_path, catalog, made_record([made_entry("fid", 9.9, protocol=PRINTED_FID)], **made))
    assert "9.9 (3.51 printed: WORSE)" in tables(text)[0][1]
    against = {row[0]: row[1:] for row in tables(text)[1]}
    assert against["lcsa/table-07/14"] == ["BigGAN+LCSA", "tfid", "3.51", "9.9", "WORSE"]
    assert against["lcsa/table-07/13"] == ["BigGAN+LCSA", "is", "9.81", "", "NOT RUN"]
    assert "Against the papers" not in page(tmp_path / "none", catalog, made_record())
    other = made_record([made_entry("fid", 9.9, protocol=PRINTED_FID)], **{**made, "dataset": "cifar100"})
    (digits,) = [row for row in tables(page(tmp_path / "other", catalog, other))[1] if row[0] == "lcsa/table-07/16"]
    assert digits[3] == "11.60"  # as printed


def test_what_a_paper_calls_a_row_is_text(tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    named = [replace(reference, row=NASTY) for reference in open_references(catalog)[0]]
    monkeypatch.setattr("harness.leaderboard.board.open_references", lambda _: (named, []))
    text = page(tmp_path, catalog, made_record(recipe="lcsa/biggan-d1024", method="lcsa", dataset="cifar10"))
    assert {row[1] for row in tables(text)[1][1:]} == {NASTY}


# -- the index -------------------------------------------------------------------------------------------


def test_the_index_counts_results_rows_and_verdicts(tmp_path: Path, catalog: Catalog) -> None:
    made = {"recipe": "lcsa/biggan-d1024", "method": "lcsa", "dataset": "cifar10"}
    found = board(
        tmp_path,
        catalog,
        made_record([made_entry("fid", 3.5, protocol=PRINTED_FID)], **made),
        *(made_record(recipe=f"made/{name}") for name in ("a", "b")),
        made_record([made_entry("kid")], recipe="made/c"),
        made_record([], dataset="lost", exit_state="diverged"),
    )
    text = markdown.index(found)
    assert text.startswith("# Leaderboards\n\n5 results. ")
    by_dataset, by_paper = tables(text)
    assert by_dataset == [
        ["data set", "tables", "rows"],
        ["cifar10", "1", "1"],
        ["digits", "2", "3"],
        ["lost", "0", "0"],
    ]
    assert by_paper[0] == ["paper", "printed", "with a recipe here", *(outcome.value for outcome in Outcome)]
    for paper, printed, bound, *counts in by_paper[1:]:
        own = [number for number in found.printed if number.reference.paper == paper]
        assert int(printed) == sum(map(int, counts)) == len(own)
        assert int(bound) == len([number for number in own if number.reference.recipe])
        expected = dict.fromkeys(Outcome, 0)
        for number in own:
            expected[number.outcome] += 1
        assert list(map(int, counts)) == list(expected.values())
    (line,) = [line for line in by_paper if line[0] == "lcsa"]
    assert (line[2], line[3]) == ("24", "1")
    assert "Left out" not in text


def test_one_result_is_one_result(tmp_path: Path, catalog: Catalog) -> None:
    assert "\n1 result. " in markdown.index(board(tmp_path, catalog, made_record()))


@pytest.mark.parametrize("value", ["a  b", "a\nb"])
def test_a_command_is_copied_as_it_is(tmp_path: Path, catalog: Catalog, value: str) -> None:
    (dataset,) = [d for d in board(tmp_path, catalog, made_record(overrides={"k": value})).datasets if d.tables]
    (line,) = [line for line in markdown.dataset(dataset).splitlines() if "harness run" in line]
    words = shlex.split(line.partition("`")[2].rpartition("`")[0])
    assert parse_overrides([words[words.index("--set") + 1]]) == {"k": value}


@pytest.mark.parametrize("name", ["~~a~~", "# a", "- a", "+ a", "1. a", "12) a"])
def test_names_at_the_beginning_of_a_line_are_text(name: str) -> None:
    (inline,) = [token for token in READER.parse(f"- {markdown.text(name)}: x\n") if token.type == "inline"]
    assert shown(inline) == f"{name}: x"
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


def test_folds_are_counted_and_what_they_are_is_said_where_there_are_any(tmp_path: Path, catalog: Catalog) -> None:
    folded = [made_record([made_entry(value=n)], fold=f"{n}/2") for n in (1, 2)]
    text = page(tmp_path / "folds", catalog, *folded)
    assert "1 seed on 2 of 2 folds" in text
    assert "## Table 1: paper scale, 2 folds" in text
    assert "folds share most of their training items" in text
    assert "--folds 2 --seed 0" in text
    assert "folds" not in page(tmp_path / "plain", catalog, made_record())
