"""The README cannot rot: its code is the example plugin's, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from harness.cli import application

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)
COMMANDS = [
    shlex.split(line, comments=True)
    for language, block in BLOCKS
    if language == "console"
    for line in block.splitlines()
    if line.startswith("harness ")
]


def test_the_first_two_commands_are_run_and_test():
    assert BLOCKS[0] == ("console", "make run\nmake test\n")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"run:", "test:"} <= set(re.findall(r"^\w+:", makefile, flags=re.M))


def test_the_code_is_the_example_plugin_s():
    shown = [block for language, block in BLOCKS if language == "python"]
    package = ROOT / "docs/example_plugin/harness_toy"
    assert shown == [(package / name).read_text(encoding="utf-8") for name in ("method.py", "plugin.py")]


def test_a_method_takes_about_thirty_lines():
    code = (ROOT / "docs/example_plugin/harness_toy/method.py").read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in code) <= 32


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_shown_parses(words):
    command = typer.main.get_command(application(words[1]))
    context = command.make_context("harness", words[1:])
    name, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    inner.make_context(name, rest, parent=context)


def test_every_link_leads_to_a_file():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
