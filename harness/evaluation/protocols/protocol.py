"""Protocols: everything about a measuring that fixes its value, as a readable id and as fields to compare.

A protocol is a list of terms. Each has a key and a value, which the record keeps, and a short text, which goes into the
id. No default is left out of the id, so that a changed default is a new id. What tells one real set from another (data
set, checksum) is a field but not a part of the id: ids are compared within one data set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

#: what a term's value may be, so that it reads the same after a trip through JSON
Plain = str | int | float | bool | None


class Term(NamedTuple):
    """One thing that was fixed.

    :ivar key: its name in the record ("k").
    :ivar value: its value (3).
    :ivar text: how the id shows it ("k3"); None leaves it out of the id.
    """

    key: str
    value: Plain
    text: str | None = None


@dataclass(frozen=True)
class Protocol:
    """How a number was measured.

    :param metric: the name that the number goes by ("precision").
    :param terms: what was fixed, in the order in which the id shows it.
    """

    metric: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        keys = [term.key for term in self.terms]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice or "metric" in keys:
            raise ValueError(f"protocol of '{self.metric}' fixes {', '.join(twice) or 'metric'} twice")

    @property
    def id(self) -> str:
        """Readable and exact: ``fd[digits-cnn,native,train,1437x1000,uint8-round,block250,bn-eval]``."""
        return f"{self.metric}[{','.join(term.text for term in self.terms if term.text is not None)}]"

    def record(self) -> dict[str, Plain]:
        """Every field by name, for the record of a run."""
        return {"metric": self.metric} | {term.key: term.value for term in self.terms}


class Difference(NamedTuple):
    """A field in which two protocols differ; "not stated" where one of them has no such field."""

    field: str
    ours: Plain
    theirs: Plain

    def __str__(self) -> str:
        return f"{self.field}: {self.ours} here, {self.theirs} there"


NOT_STATED = "not stated"


def differences(ours: Mapping[str, Plain], theirs: Mapping[str, Plain]) -> list[Difference]:
    """Field by field, how two recorded protocols differ; empty where they are the same.

    :param ours: the fields of one protocol, as :meth:`Protocol.record` gives them.
    """
    fields = [*ours, *(key for key in theirs if key not in ours)]
    pairs = ((field, ours.get(field, NOT_STATED), theirs.get(field, NOT_STATED)) for field in fields)
    return [Difference(field, a, b) for field, a, b in pairs if a != b]
