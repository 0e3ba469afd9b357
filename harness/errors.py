"""One family of errors for what the user can mend: one clear line each, exit code 2, no traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can fix.

    :param problem: what was given and what is wrong with it, without a full stop.
    :param fix: what to type or change; joined to the problem by a semicolon.
    """

    exit_code = 2

    def __init__(self, problem: str, fix: str | None = None) -> None:
        self.problem = " ".join(problem.split())
        self.fix = " ".join(fix.split()) if fix else None
        super().__init__(f"{self.problem}; {self.fix}" if self.fix else self.problem)


class SettingsError(UserError):
    """An unknown, ill-typed or contradictory setting, recipe or coordinate."""


class DataError(UserError):
    """Data files that are missing, truncated, corrupt or of another layout than they should be."""


class CheckpointError(UserError):
    """A checkpoint that is corrupt, foreign, from a later version, or could not be written."""


class RunFolderError(UserError):
    """A run folder that is in use, finished, absent, or not a run folder at all."""


class DeviceError(UserError):
    """A device or precision that this machine does not have."""


class EvaluationError(UserError):
    """A measurement that cannot be made as asked."""


class Diverged(UserError):
    """A loss term or a piece of state became NaN or infinite."""


class UnknownName(UserError):
    """A name that nothing is registered under; near ones are offered.

    :param kind: what the name should have been, as the user calls it ("data set").
    :param given: the name as typed.
    :param choices: every name that would have been right.
    :param fix: replaces the list of choices where a better remedy is known.
    """

    def __init__(self, kind: str, given: str, choices: Iterable[str], fix: str | None = None) -> None:
        self.given = given
        super().__init__(f"unknown {kind} '{given}'", fix or suggestion(given, choices))


def suggestion(given: str, choices: Iterable[str], most: int = 12) -> str:
    """The remedy for a name that is not among `choices`: the near ones, or else all of them up to `most`."""
    known = sorted(set(choices))
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.6)
    # a name typed without its prefix ("width64" for "method/width64") is no close match for difflib
    near += [name for name in known if name.rpartition("/")[2] == given and name not in near]
    if near:
        return did_you_mean(near)
    if not known:
        return "there are none"
    shown = ", ".join(known[:most])
    return f"choose from: {shown}" + (f", ... ({len(known)} in all)" if len(known) > most else "")


def did_you_mean(names: Iterable[str]) -> str:
    """The remedy that offers names."""
    return "did you mean " + " or ".join(f"'{name}'" for name in names) + "?"
