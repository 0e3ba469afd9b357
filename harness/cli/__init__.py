"""The command line: finds the command asked for, runs it, and turns mistakes into one line and an exit code.

Only the module of the command that was asked for is imported, so that each starts as fast as it can.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from harness.errors import UserError, suggestion
from harness.version import __version__

#: in the order of the help; each is ``harness/cli/<name>.py``, with a function of that name or a sub-app called `app`
COMMANDS = (
    "run",
    "train",
    "evaluate",
    "sample",
    "check",
    "explain",
    "references",
    "leaderboard",
    "verify",
    "ls",
    "describe",
    "data",
    "weights",
    "stats",
    "doctor",
    "plugins",
)

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

_ROOM = "make room, then go on with --resume"
_ELSEWHERE = "choose a place that you may write to"
#: how a disk refuses a file, and what helps; whichever file it was, the user can mend it
REFUSED = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 done, 1 a check failed, 2 the user can mend it, 130 interrupted.

    Any other exception is a bug and keeps its traceback.

    :param argv: the words after ``harness``; those of the process where None is given.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = _invoke(words)
        sys.stdout.flush()  # a closed pipe shows here, not in the interpreter's last breath
        return code
    except BrokenPipeError:
        # the reader (`head`) has gone: nothing more to say, and nowhere to say it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except UserError as error:
        # a run that was asked to stop, and has saved itself, is no mistake
        return _fail(str(error) if error.exit_code == INTERRUPTED else f"error: {error}", error.exit_code)
    except typer.TyperException as error:
        return _fail(f"error: {_usage_problem(error)}", error.exit_code)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        where = f" {error.filename}" if error.filename else ""
        return _fail(f"error: cannot write{where}: {error.strerror}; {REFUSED[error.errno]}", 2)
    except MemoryError as error:
        detail = " ".join(str(error).split()) or "no more to be had"
        return _fail(f"error: out of memory: {detail}; lower batch_size, evaluation.block or evaluation.samples", 2)


def application(command: str | None = None) -> typer.Typer:
    """The application with one command, or with all of them."""
    app = typer.Typer(name="harness", rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_options)
    for name in COMMANDS if command is None else (command,):
        module = import_module(f"harness.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _invoke(words: list[str]) -> int:
    asked = next((word for word in words if not word.startswith("-")), None)
    if asked is not None and asked not in COMMANDS:
        raise UserError(f"unknown command '{asked}'", suggestion(asked, COMMANDS, most=len(COMMANDS)))
    if words == [asked] and hasattr(import_module(f"harness.cli.{asked}"), "app"):
        words = [*words, "--help"]  # a sub-app alone does nothing but explain itself
    command: Any = typer.main.get_command(application(asked))
    try:
        with command.make_context("harness", words) as context:
            code = command.invoke(context)
    except typer.Exit as finished:
        code = finished.exit_code
    return code if isinstance(code, int) else 0


def _usage_problem(error: typer.TyperException) -> str:
    """What is wrong with the command line, on one line, and where to read more."""
    context: Any = getattr(error, "ctx", None)
    problem = " ".join(error.format_message().split()).rstrip(".")
    problem = problem[:1].lower() + problem[1:]
    return f"{problem}; see {context.command_path} --help" if context is not None else problem


def _fail(line: str, code: int) -> int:
    print(line, file=sys.stderr)
    return code


def _show_version(asked: bool) -> None:
    if asked:
        print(f"harness {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Train, measure and compare generative adversarial methods."""
