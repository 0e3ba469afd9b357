"""``harness plugins``: what is there, what is not, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

Captured = pytest.CaptureFixture[str]
Installed = Callable[..., None]

LISTING = """
from harness import PenaltySpec, ReferenceSpec, hookimpl

@hookimpl
def harness_register_losses(register):
    for name, target in {penalties!r}.items():
        register(PenaltySpec(name=name, summary="-", penalty=target))

@hookimpl
def harness_register_references(register):
    for name, target in {references!r}.items():
        register(ReferenceSpec(name=name, summary="-", folder=target))
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """Makes the given sources the only plugins beside the built-in one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: list[str] = []

    def write(**sources: str) -> None:
        for name, source in sources.items():
            modules.append(f"installed_{name}")
            (tmp_path / f"installed_{name}.py").write_text(source)
        points = [EntryPoint(name, f"installed_{name}", "harness") for name in sources]
        monkeypatch.setattr("harness.plugins.entry_points", lambda group: points)

    yield write
    for module in modules:
        sys.modules.pop(module, None)


def listing(penalties: dict[str, str] | None = None, references: dict[str, str] | None = None) -> str:
    return LISTING.format(penalties=penalties or {}, references=references or {})


def listed(capsys: Captured, *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["plugins", "--json", *words]) == code
    out, err = capsys.readouterr()
    assert err == ""
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_a_good_plugin_is_shown_with_names_and_counts(capsys: Captured, installed: Installed) -> None:
    installed(good=listing({"a": "math:sqrt", "b": "math:sqrt"}))
    assert main(["plugins"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("good ")]
    assert line.split(maxsplit=4)[3:] == ["ok", "2 penalties: a, b"]


def test_a_broken_plugin_is_one_line_and_no_failure(capsys: Captured, installed: Installed) -> None:
    installed(bad="raise OSError('first\\nsecond')", good=listing({"a": "math:sqrt"}))
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("bad ")]
    assert line.split("broken")[1].strip() == "import of installed_bad raised OSError: first second"
    assert len(lines) == 2 + 3  # header, rule, builtin, bad, good


def test_a_contested_name_is_said_below_the_table_and_its_owner_is_in_use(
    capsys: Captured, installed: Installed
) -> None:
    installed(first=listing({"a": "math:sqrt"}), second=listing({"a": "math:exp", "b": "math:sqrt"}))
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("second ")]
    assert line.endswith("ok        2 penalties: second/a, b")
    assert lines[-1].endswith("'a' means that of 'first', 'second/a' the other")
    assert listed(capsys)["plugins"][2]["clashes"] == [lines[-1]]


def test_json_says_all_that_the_table_says(capsys: Captured, installed: Installed) -> None:
    installed(bad="1/0", good=listing({"a": "math:sqrt"}))
    builtin, bad, good = listed(capsys)["plugins"]
    assert builtin["name"] == "builtin"
    assert (bad["status"], bad["error"], bad["offers"]) == (
        "broken",
        "import of installed_bad raised ZeroDivisionError: division by zero",
        {},
    )
    assert good | {"version": "?"} == {
        "name": "good",
        "version": "?",
        "distribution": "?",
        "module": "installed_good",
        "status": "ok",
        "error": None,
        "clashes": [],
        "offers": {"penalty": ["a"]},
    }


def test_a_plugin_that_is_switched_off_is_shown_as_off(capsys: Captured, installed: Installed) -> None:
    installed(bad="1/0", good=listing({"a": "math:sqrt"}))
    statuses = {p["name"]: p["status"] for p in listed(capsys, "--without", "bad", "--without", "builtin")["plugins"]}
    assert statuses == {"builtin": "off", "bad": "off", "good": "ok"}


def test_a_plugin_without_offers_says_so(capsys: Captured, installed: Installed) -> None:
    installed(idle="")
    main(["plugins"])
    assert capsys.readouterr().out.split()[-2:] == ["ok", "nothing"]


# -- --deep ----------------------------------------------------------------------------------------------


def test_deep_imports_what_is_registered(capsys: Captured, installed: Installed) -> None:
    installed(good=listing({"a": "math:sqrt"}, {"table": "reference_results:lcsa"}))
    assert listed(capsys, "--deep", "--without", "builtin")["failures"] == []


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:cubist", "AttributeError: module 'math' has no attribute 'cubist'"),
        ("math:pi", "is not callable"),
        ("math", "needs the form module:attribute"),
        ("installed_exit:f", "SystemExit: bye"),
    ],
)
def test_deep_reports_each_object_that_cannot_be_used(
    capsys: Captured, installed: Installed, target: str, error: str
) -> None:
    installed(half=listing({"fine": "math:sqrt", "odd": target}), exit="raise SystemExit('bye')")
    answer = listed(capsys, "--deep", "--without", "builtin", "--without", "exit", code=1)
    assert answer["failures"] == [
        {"plugin": "half", "kind": "penalty", "name": "odd", "target": target, "error": error}
    ]


def test_deep_misses_a_folder_of_references_that_is_not_there(capsys: Captured, installed: Installed) -> None:
    installed(half=listing(references={"table": "harness:no/such"}))
    assert main(["plugins", "--deep", "--without", "builtin"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "half: reference 'table': harness:no/such: there is no protocols.toml"


def test_deep_does_not_fail_over_a_broken_plugin_alone(capsys: Captured, installed: Installed) -> None:
    installed(bad="1/0")
    assert listed(capsys, "--deep", "--without", "builtin")["failures"] == []
