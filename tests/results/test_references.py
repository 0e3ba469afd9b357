"""Folders of references: what reads back, and what each rule refuses."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from harness import ReferenceSpec
from harness.catalog import Catalog
from harness.errors import UnknownName, UserError
from harness.plugins import Plugins
from harness.results.references import COLUMNS, Reference, open_references, read_paper

PROTOCOLS = """
[fid]
summary = "FID"
measured_as = "fid"
per_row = ["k"]
[fid.fields]
split = "train"
[other]
summary = "something else"
"""

ROW = {
    "paper": "smith",
    "table": "Table 2",
    "row": "Ours, <b>",
    "dataset": "cifar10",
    "fraction": "0.1",
    "setting": "k=3;beta=0.4",
    "metric": "fid",
    "value": "9.10",
    "std": "0.20",
    "quoted_from": "Jones [3]",
    "recipe": "made/plain",
    "subject": "weights=ema",
    "protocol": "fid",
    "note": "a doubt",
}

Make = Callable[..., ReferenceSpec]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A paper's folder in an importable package, from lines that differ from a good one."""
    package = tmp_path / "paper_of_smith"
    folder = package / "numbers"
    folder.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "paper_of_smith", raising=False)

    def made(*changes: dict[str, str], header: tuple[str, ...] = COLUMNS, protocols: str = PROTOCOLS) -> ReferenceSpec:
        (folder / "protocols.toml").write_text(protocols, encoding="utf-8")
        with (folder / "table-02.csv").open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(header)
            writer.writerows([list((ROW | change).values()) for change in changes or ({},)])
        return ReferenceSpec(name="smith", summary="Smith", folder="paper_of_smith:numbers")

    return made


def refusal(spec: ReferenceSpec) -> str:
    with pytest.raises(UserError) as caught:
        read_paper(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_line_reads_back_as_it_was_written(make: Make) -> None:
    (found,) = read_paper(make())
    assert found.line() == ROW
    assert (found.id, found.value, found.printed, found.std) == ("smith/table-02/1", 9.1, "9.10", 0.2)
    assert (found.setting, found.subject) == ({"k": "3", "beta": "0.4"}, {"weights": "ema"})
    assert found.protocol.fields == {"split": "train"}


def test_lines_are_numbered_from_one_and_empty_cells_are_nothing(make: Make) -> None:
    bare = {"std": "", "quoted_from": "", "recipe": "", "subject": "", "note": ""}
    _, second = read_paper(make({}, {**bare, "row": "Theirs"}))
    assert second.id == "smith/table-02/2"
    assert (second.std, second.recipe, second.subject) == (None, None, {})


@pytest.mark.parametrize(
    ("printed", "half"),
    [("9.10", 0.005), ("9.1", 0.05), ("9", 0.5), ("1e-4", 0.5e-4), ("2.97E+1", 0.05), ("-0.50", 0.005)],
)
def test_rounding_is_half_a_unit_of_the_last_printed_digit(make: Make, printed: str, half: float) -> None:
    (found,) = read_paper(make({"value": printed}))
    assert found.rounding == pytest.approx(half)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"paper": "jones"}, "paper is 'jones', but the folder is that of 'smith'"),
        ({"row": " Ours"}, "row has stray white space: '·Ours'"),
        ({"row": "Ours "}, "row has stray white space: 'Ours·'"),
        ({"row": "Ours  too"}, "row has stray white space: 'Ours··too'"),
        ({"note": "a\tdoubt"}, "note has stray white space: 'a doubt'"),
        ({"setting": "k= 3"}, "setting is 'k= 3'; write key=value"),
        ({"metric": "fid-x"}, "'fid-x' is no metric's name"),
        ({"recipe": "made/plain/x"}, "recipe 'made/plain/x' is not METHOD/VARIANT"),
        ({"row": ""}, "row is empty"),
        ({"table": ""}, "table is empty"),
        ({"dataset": "cifar 10"}, "'cifar 10' is no data set's name"),
        ({"metric": "FID"}, "'FID' is no metric's name"),
        ({"value": "9,1"}, "value is '9,1', not a number"),
        ({"value": "nan"}, "value is 'nan', not a number"),
        ({"value": "inf"}, "value is 'inf', not a number"),
        ({"value": ""}, "value is '', not a number"),
        ({"std": "-0.1"}, "std is -0.1, below 0"),
        ({"std": "x"}, "std is 'x', not a number"),
        ({"fraction": "0"}, "fraction is 0, not above 0 and at most 1"),
        ({"fraction": "1.5"}, "fraction is 1.5, not above 0"),
        ({"fraction": ""}, "fraction is '', not a number"),
        ({"setting": "k=3;beta"}, "setting is 'k=3;beta'; write key=value"),
        ({"setting": "k=3; beta=1"}, "setting is 'k=3; beta=1'; write key=value"),
        ({"setting": "k=3;k=4"}, "setting says k twice"),
        ({"setting": "K=3"}, "setting is 'K=3'"),
        ({"subject": "weights="}, "subject is 'weights='"),
        ({"setting": "beta=1"}, "protocol 'fid' takes k from setting, which does not say it"),
        ({"protocol": "fidd"}, "unknown protocol 'fidd'; did you mean 'fid'?"),
        ({"recipe": "made"}, "recipe 'made' is not METHOD/VARIANT"),
    ],
)
def test_a_broken_line_is_named(make: Make, change: dict[str, str], said: str) -> None:
    message = refusal(make({"row": "fine"}, change))
    assert message.startswith("smith/table-02.csv: line 3: ")
    assert said in message


def test_other_columns_are_refused(make: Make) -> None:
    assert "its columns are value,paper" in refusal(make(header=("value", "paper")))


def test_a_line_of_another_length_is_refused(make: Make, tmp_path: Path) -> None:
    spec = make()
    path = tmp_path / "paper_of_smith" / "numbers" / "table-02.csv"
    path.write_text(path.read_text(encoding="utf-8") + "smith,Table 2\n", encoding="utf-8")
    assert refusal(spec) == "smith/table-02.csv: line 3: 2 cells, not 14"


def test_the_same_number_twice_is_refused(make: Make) -> None:
    assert refusal(make({}, {"value": "3"})).startswith("smith/table-02/2 and smith/table-02/1 are the same number")
    assert len(read_paper(make({}, {"setting": "k=4"}))) == 2


def test_a_file_that_is_not_utf8_is_named(make: Make, tmp_path: Path) -> None:
    spec = make()
    (tmp_path / "paper_of_smith" / "numbers" / "table-03.csv").write_bytes(b"paper\xff")
    assert "smith/table-03.csv is not UTF-8" in refusal(spec)


@pytest.mark.parametrize(
    ("protocols", "said"),
    [
        ("[fid", "is not valid TOML"),
        ("fid = 3", "'fid' stands outside of a table"),
        ("[fid]\nsummary = ''", "protocol 'fid': summary"),
        ("[fid]\nsummary = 'x'\nfactr = 3", "protocol 'fid': factr"),
        ("[fid]\nsummary = 'x'\nfactor = 0", "protocol 'fid': factor"),
        ("[fid]\nsummary = 'x'\nkey = 'x'", "protocol 'fid': "),
        ("[fid]\nsummary = 'x'\nopen = ['k']\nfields = {k = 3}", "protocol 'fid' states k and calls it open"),
    ],
)
def test_a_broken_protocol_is_named(make: Make, protocols: str, said: str) -> None:
    message = refusal(make(protocols=protocols))
    assert "numbers/protocols.toml" in message
    assert said in message


@pytest.mark.parametrize("folder", ["no_such_package_at_all:x", "paper_of_smith:elsewhere"])
def test_a_folder_that_is_not_there_is_named(make: Make, folder: str) -> None:
    make()
    message = refusal(ReferenceSpec(name="smith", summary="", folder=folder))
    assert folder in message or "elsewhere/protocols.toml" in message


def opened(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, *specs: Any, papers: tuple[str, ...] = ()) -> Any:
    by_name = {spec.name: spec for spec in specs}
    monkeypatch.setattr(catalog, "names", lambda kind: sorted(by_name))
    monkeypatch.setattr(catalog, "all", lambda kind: [by_name[name] for name in sorted(by_name)])
    monkeypatch.setattr(catalog, "owner", lambda kind, name: catalog.plugins.plugins[0])
    return open_references(catalog, papers)


def test_one_broken_paper_leaves_the_others(catalog: Catalog, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ReferenceSpec(name="broken", summary="", folder="paper_of_smith:elsewhere")
    found, problems = opened(catalog, monkeypatch, broken, make())
    assert [type(each) for each in found] == [Reference]
    (problem,) = problems
    assert problem.startswith("references of 'broken' from plugin ")


def test_a_broken_paper_that_was_asked_for_is_an_error(
    catalog: Catalog, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ReferenceSpec(name="broken", summary="", folder="paper_of_smith:elsewhere")
    with pytest.raises(UserError, match="elsewhere"):
        opened(catalog, monkeypatch, broken, make(), papers=("broken",))


def test_an_unknown_paper_is_refused(catalog: Catalog, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="unknown paper 'smyth'; did you mean 'smith'"):
        opened(catalog, monkeypatch, make(), papers=("smyth",))


@pytest.mark.parametrize(
    "change", [{"fraction": "1"}, {"fraction": "0.05"}, {"std": "0"}, {"value": "-1.50E-3"}, {"setting": "k=a=b"}]
)
def test_what_is_within_the_rules_reads_back(make: Make, change: dict[str, str]) -> None:
    (found,) = read_paper(make(change))
    assert found.line() == ROW | change


@pytest.mark.parametrize(
    "change",
    [
        {"table": "Table 3"},
        {"row": "Theirs"},
        {"dataset": "mnist"},
        {"fraction": "0.2"},
        {"setting": "k=3"},
        {"metric": "vfid"},
        {"subject": "weights=raw"},
    ],
)
def test_each_part_of_the_key_tells_two_numbers_apart(make: Make, change: dict[str, str]) -> None:
    assert len(read_paper(make({}, change))) == 2


@pytest.mark.parametrize(
    "change", [{"std": "1"}, {"quoted_from": ""}, {"recipe": "made/other"}, {"protocol": "other"}, {"note": ""}]
)
def test_nothing_else_tells_them_apart(make: Make, change: dict[str, str]) -> None:
    assert refusal(make({}, change)).endswith(
        "are the same number: Table 2, Ours, <b>, cifar10, 0.1, k=3;beta=0.4, fid, weights=ema"
    )


def test_columns_in_another_order_are_refused(make: Make) -> None:
    assert refusal(make(header=COLUMNS[::-1])).startswith("smith/table-02.csv: its columns are note,protocol")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",".join([*ROW, "too", "many"]), "16 cells, not 14"),
        ("", "0 cells, not 14"),
        ('smith,"Table" 2', "',' expected after '\"'"),
        ('smith,"Table 2', "unexpected end of data"),
    ],
)
def test_a_line_that_is_no_csv_of_these_columns_is_named(make: Make, tmp_path: Path, line: str, said: str) -> None:
    spec = make()
    with (tmp_path / "paper_of_smith" / "numbers" / "table-02.csv").open("a", encoding="utf-8") as handle:
        handle.write(line + "\n")
    assert refusal(spec) == f"smith/table-02.csv: line 3: {said}"


def test_tables_come_by_name_and_other_files_are_none(make: Make, tmp_path: Path) -> None:
    spec = make({}, {"row": "Theirs"})
    folder = tmp_path / "paper_of_smith" / "numbers"
    text = (folder / "table-02.csv").read_text(encoding="utf-8")
    for name in ("table-10.csv", "fig-01.csv", "sec-c1.csv"):
        (folder / name).write_text(text.replace("Table 2", name), encoding="utf-8")
    (folder / "README.md").write_text("no table", encoding="utf-8")
    stems = ("fig-01", "sec-c1", "table-02", "table-10")
    assert [reference.id for reference in read_paper(spec)] == [f"smith/{stem}/{n}" for stem in stems for n in (1, 2)]


def test_a_plugin_offers_its_paper(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    (tmp_path / "plugin_of_smith.py").write_text(
        "from harness import ReferenceSpec, hookimpl\n"
        "@hookimpl\n"
        "def harness_register_references(register):\n"
        "    for name, folder in (('smith', 'numbers'), ('jones', 'elsewhere')):\n"
        "        register(ReferenceSpec(name=name, summary='-', folder=f'paper_of_smith:{folder}'))\n",
        encoding="utf-8",
    )
    monkeypatch.delitem(sys.modules, "plugin_of_smith", raising=False)
    catalog = Catalog(Plugins(found=[EntryPoint("shelf", "plugin_of_smith", "harness")]))
    found, (problem,) = open_references(catalog)
    assert [reference.id for reference in found] == ["smith/table-02/1"]
    assert problem.startswith("references of 'jones' from plugin 'shelf' are left out: cannot read ")
    assert "elsewhere/protocols.toml" in problem
    assert open_references(catalog, ("smith",)) == (found, [])  # of those that were not asked for, nothing is said
    with pytest.raises(UserError, match="elsewhere/protocols.toml"):
        open_references(catalog, ("smith", "jones"))
    with pytest.raises(UnknownName, match="unknown paper 'lcsa'"):
        open_references(catalog, ("lcsa",))
