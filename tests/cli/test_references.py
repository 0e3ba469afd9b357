"""``harness references``: the papers' numbers as a table, CSV and JSON."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from made_papers import offer_paper

TABLES = Path(__file__).parents[2] / "reference_results"


def listed(harness: Any, *words: str) -> list[dict[str, Any]]:
    code, out, err = harness("references", *words, "--json")
    assert (code, err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_everything_is_printed_without_a_filter(harness: Any) -> None:
    code, out, err = harness("references")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "1600 numbers of 5 papers"
    assert len(out.splitlines()) == 1600 + 3


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--paper", "lcsa"], 342),
        (["--paper", "lcsa", "--table", "table 8"], 234),
        (["--paper", "lcsa", "--table", "Table 7", "--table", "Table 8"], 264),
        (["--paper", "lcsa", "--paper", "pgmgan"], 457),
        (["--recipe", "lcsa/biggan-d1024"], 6),
        (["--paper", "lcsa", "--dataset", "cifar100", "--metric", "vfid", "--table", "Table 7"], 5),
    ],
)
def test_filters(harness: Any, words: list[str], count: int) -> None:
    assert len(listed(harness, *words)) == count


def test_csv_is_the_files_lines(harness: Any) -> None:
    out = harness("references", "--paper", "lcsa", "--table", "Table 8", "--csv").out
    assert out == (TABLES / "lcsa" / "table-08.csv").read_text(encoding="utf-8")
    tables = [path.read_text(encoding="utf-8").splitlines(keepends=True) for path in sorted(TABLES.glob("*/*.csv"))]
    everything = [tables[0][0], *(line for table in tables for line in table[1:])]
    assert harness("references", "--csv").out == "".join(everything)


@pytest.mark.parametrize(
    ("number", "words", "shown"),
    [
        ("lcsa/table-08/61", ["lcsa", "--table", "Table 8"], ["cifar10 x 0.1 ", "8.74", "lcsa/biggan-d256-tenth"]),
        (
            "pgmgan/table-01/1",
            ["pgmgan"],
            ["133.4 ± 17.70 ", "supervision=unsupervised", "gan/dcgan (Liu et al. [46])"],
        ),
    ],
)
def test_a_line_says_what_the_paper_prints(harness: Any, number: str, words: list[str], shown: list[str]) -> None:
    *lines, last = harness("references", "--paper", *words).out.splitlines()
    (line,) = [line for line in lines if line.startswith(number + " ")]
    assert [part for part in shown if part not in line] == []
    assert last == f"{len(lines) - 2} numbers of 1 paper"


def test_json_has_numbers_and_the_protocol(harness: Any) -> None:
    (found,) = [each for each in listed(harness, "--paper", "pgmgan") if each["id"] == "pgmgan/table-01/1"]
    assert (found["value"], found["printed"], found["std"], found["fraction"]) == (133.4, "133.4", 17.7, 1.0)
    assert found["setting"] == {"supervision": "unsupervised"}
    assert (found["recipe"], found["quoted_from"]) == ("gan/dcgan", "Liu et al. [46]")
    assert found["protocol"]["measured_as"] == "modes"


def test_protocols_are_printed_once(harness: Any) -> None:
    out = harness("references", "--paper", "lcsa", "--protocols").out
    assert [line.split()[0] for line in out.splitlines()[2:]] == [
        f"lcsa/{key}"
        for key in (
            "is",
            "tfid-cifar",
            "vfid-cifar",
            "tfid-limited",
            "tfid-imagenet32",
            "vfid-imagenet32",
            "params",
            "flops",
            "train-time",
        )
    ]
    known = tomllib.loads((TABLES / "lcsa" / "protocols.toml").read_text(encoding="utf-8"))["tfid-cifar"]
    (line,) = [line for line in out.splitlines() if line.startswith("lcsa/tfid-cifar ")]
    stated = ", ".join(f"{name}={value}" for name, value in known["fields"].items())
    assert [part for part in (stated, ", ".join(known["open"]), known["summary"]) if part not in line] == []
    found = listed(harness, "--paper", "kdd_gan", "--protocols")
    assert {protocol["paper"] for protocol in found} == {"kdd_gan"}
    assert found[0]["fields"]["extractor"] == "inception-tf"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--paper", "lsca"], "unknown paper 'lsca'; did you mean 'lcsa'"),
        (["--paper", "lcsa", "--table", "Table 99"], "unknown table among these numbers 'Table 99'"),
        (["--metric", "fidd"], "unknown metric among these numbers 'fidd'; did you mean"),
        (["--csv", "--json"], "--csv and --json contradict each other"),
        (["--csv", "--protocols"], "--csv and --protocols contradict each other"),
    ],
)
def test_mistakes_are_one_line(refused: Any, words: list[str], said: str) -> None:
    assert said in refused("references", *words)


def test_a_plugins_broken_folder_is_a_warning(harness: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_results import plugin

    monkeypatch.setitem(plugin.CITATIONS, "lost", "nowhere")
    code, out, err = harness("references", "--metric", "tfid")
    assert code == 0
    assert "lcsa/table-07/2" in out
    assert err.startswith("warning: references of 'lost' from plugin 'reference_results' are left out: cannot read")
    assert len(err.splitlines()) == 1


def test_a_strangers_plugin_ships_a_paper_of_its_own(
    harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["Ours", "cifar10", "1", "", "fid", "3.0", "", "", "", "", "fid", ""]
    offer_paper(tmp_path, monkeypatch, "[fid]\nsummary = 'FID'\n", line)
    (found,) = listed(harness)
    assert (found["id"], found["value"]) == ("smith2026/table-01/1", 3.0)
    assert harness("plugins", "--deep").code == 0


def test_without_the_plugin_there_are_none(harness: Any) -> None:
    assert listed(harness, "--without", "reference_results") == []
