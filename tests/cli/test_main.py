"""The shell around the commands: exit codes, one line for every mistake, and nothing heavy at start-up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import harness
from harness import cli
from harness.cli import COMMANDS, INTERRUPTED, main
from harness.errors import DataError

Captured = pytest.CaptureFixture[str]


def mistake(capsys: Captured, *words: str) -> str:
    """The one line that a mistaken command prints, on standard error and nowhere else."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err.removeprefix("error: ").rstrip("\n")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Replaces `harness ls` by a function without options."""

    def replace(function: Callable[[], object]) -> None:
        module = ModuleType("harness.cli.ls")
        module.ls = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "harness.cli.ls", module)

    return replace


# -- help and version ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_names_every_command(capsys: Captured, words: list[str]) -> None:
    assert main(words) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_takes_without(capsys: Captured, name: str) -> None:
    inner = {"data": ["path"], "weights": ["path"], "stats": ["export"], "doctor": ["metrics"]}
    words = [name, *inner.get(name, [])]
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: harness {' '.join(words)}")
    assert "--without NAME" in said


def test_no_line_of_the_command_list_is_cut_off(capsys: Captured) -> None:
    main(["--help"])
    assert "..." not in capsys.readouterr().out.replace("[ARGS]...", "")


def test_a_sub_application_alone_shows_its_help(capsys: Captured) -> None:
    assert main(["data"]) == 0
    assert capsys.readouterr().out.startswith("Usage: harness data")


def test_the_version(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"harness {harness.__version__}\n"


def test_every_command_has_a_file_of_its_own() -> None:
    folder = Path(cli.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in COMMANDS)
    assert len(set(COMMANDS)) == len(COMMANDS)


# -- mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lss"], "unknown command 'lss'; did you mean 'ls'?"),
        (["plugin"], "unknown command 'plugin'; did you mean 'plugins'"),
        (["zzz"], f"unknown command 'zzz'; choose from: {', '.join(sorted(COMMANDS))}"),
        (["--nonsense"], "no such option: --nonsense"),
        (["ls", "--jsn"], "no such option: --jsn (Possible options: --json); see harness ls --help"),
        (["ls", "methods", "datasets"], "got unexpected extra argument"),
        (["describe"], "missing argument 'name'; see harness describe --help"),
        (["ls", "--without"], "option '--without' requires an argument"),
        (["data", "nonsense"], "no such command 'nonsense'"),
        (["ls", "--without", "nonsense"], "--without names no plugin: 'nonsense'"),
        (["run", "--seed", "x"], "invalid value for '--seed'"),
    ],
)
def test_a_usage_error_is_one_line(capsys: Captured, words: list[str], said: str) -> None:
    assert mistake(capsys, *words).startswith(said)


def test_a_user_error_is_one_line(capsys: Captured, command: Callable[..., None]) -> None:
    def broken() -> None:
        raise DataError("file x is\n truncated", "fetch it again")

    command(broken)
    assert mistake(capsys, "ls") == "file x is truncated; fetch it again"


def test_any_other_exception_is_a_bug_and_keeps_its_traceback(command: Callable[..., None]) -> None:
    def buggy() -> None:
        raise RuntimeError("a bug")

    command(buggy)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["ls"])


def test_ctrl_c_is_one_line_and_130(capsys: Captured, command: Callable[..., None]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    command(interrupted)
    assert main(["ls"]) == INTERRUPTED == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_the_exit_code_is_what_the_command_returns(command: Callable[..., None], returned: object, code: int) -> None:
    command(lambda: returned)
    assert main(["ls"]) == code


@pytest.mark.parametrize("size", [1, 10**6], ids=["below a buffer", "beyond a pipe"])
def test_a_reader_that_goes_away_is_no_error(size: int) -> None:
    talk = f"import sys, types, harness.cli as c; m = types.ModuleType('m'); m.ls = lambda: print('x' * {size})\n"
    talk += "sys.stdin.readline(); sys.modules['harness.cli.ls'] = m; sys.exit(c.main(['ls']))"
    pipe = subprocess.PIPE
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen([sys.executable, "-c", talk], stdin=pipe, stdout=pipe, stderr=pipe, env=buffered)
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(b"go\n")
    assert (said, process.returncode) == (b"", 1)


@pytest.mark.parametrize("entry", [["-m", "harness"], ["-c", "import sys, harness.cli as c; sys.exit(c.main())"]])
def test_the_process_ends_with_the_exit_code(entry: list[str]) -> None:
    done = subprocess.run([sys.executable, *entry, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown command 'nonsense'")


# -- start-up --------------------------------------------------------------------------------------------

HEAVY = (
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "sklearn",
    "scipy",
    "matplotlib",
    "PIL",
    "lightning_fabric",
    "rich",
    "jinja2",
)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["ls"],
        ["ls", "methods"],
        ["ls", "recipes", "--json"],
        ["ls", "datasets"],
        ["ls", "metrics"],
        ["plugins"],
        ["plugins", "--json"],
        ["describe", "digits"],
        ["data", "--help"],
        ["run", "--help"],
        ["run", "--nonsense"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    code = f"import sys, harness.cli as c; c.main({words!r}); print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
