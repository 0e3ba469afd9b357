"""How a paper measured its numbers, so far as it is known: the content of a ``protocols.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UserError
from harness.evaluation.protocols.protocol import Plain


class PrintedProtocol(BaseModel):
    """One way of measuring. What `fields` does not say is not known, and is never held against a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    key: str
    """its name in the file"""
    summary: str = Field(min_length=1)
    """what was measured, in a sentence"""
    source: str = ""
    """where that is known from: a section of the paper, its code"""
    measured_as: str | None = None
    """what the harness calls the number; None where it measures no such thing"""
    factor: float = Field(1.0, gt=0)
    """printed number = the harness's x factor: 100 for a share printed in per cent"""
    higher_is_better: bool | None = None
    """None where neither direction is better"""
    runs: int | None = Field(None, gt=0)
    """trainings behind one printed number"""
    spread: str = ""
    """what is printed after ±"""
    per_row: tuple[str, ...] = ()
    """settings of the row that are fields of the protocol, by the field's name"""
    fields: dict[str, Plain] = Field(default_factory=dict)
    """what is known, by the names that the record of a run gives its protocol's fields"""
    open: tuple[str, ...] = ()
    """fields that are known to be left open"""
    note: str = ""


def read_protocols(path: Traversable) -> dict[str, PrintedProtocol]:
    """The protocols of one paper, by key.

    :raises UserError: where the file is absent, is no TOML, or says something that no protocol has.
    """
    name = "/".join(str(path).split("/")[-2:])
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{name} is not valid TOML: {error}") from error
    found = {}
    for key, value in content.items():
        if not isinstance(value, dict):
            raise UserError(f"{name}: '{key}' stands outside of a table", "begin each protocol with [key]")
        try:
            found[key] = PrintedProtocol(key=key, **value)
        except (ValidationError, TypeError) as error:
            raise UserError(f"{name}: protocol '{key}': {_first_problem(error)}") from None
        stated = sorted({*found[key].fields, *found[key].per_row} & set(found[key].open))
        if stated:
            raise UserError(f"{name}: protocol '{key}' states {stated[0]} and calls it open")
    return found


def _first_problem(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
