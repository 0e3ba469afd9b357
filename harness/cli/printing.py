"""Tables and JSON on standard output."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

#: a last column narrower than this is not worth wrapping
NARROWEST = 20


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Aligned columns under their headers; the last column is wrapped to `width` characters where that is given."""
    from tabulate import tabulate

    if any(len(row) != len(headers) for row in rows):
        raise ValueError(f"every row needs {len(headers)} cells")
    wrap: list[int | None] | None = None
    if width is not None and rows:
        # tabulate gives a header two spaces more than it needs, and columns two between them
        widths = (max(len(header) + 2, *(len(row[n]) for row in rows)) + 2 for n, header in enumerate(headers[:-1]))
        others = sum(widths)
        wrap = [*[None] * (len(headers) - 1), max(width - others, NARROWEST)]
    text = tabulate(
        rows,
        headers=headers,
        disable_numparse=True,
        maxcolwidths=wrap,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(line.rstrip() for line in text.splitlines())


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, wrapped to the terminal where there is one."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(table(headers, rows, width))


def print_json(value: Any) -> None:
    """Print a value as JSON; specs and settings become objects."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Dataclasses and mappings as dicts, sequences as lists, all the way down."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Names with commas between them; "-" for none; beyond `most`, how many more."""
    shown = list(names if most is None else names[:most])
    more = len(names) - len(shown)
    return (", ".join(shown) + (f", ... {more} more" if more else "")) or "-"


def shown(value: Any) -> str:
    """A setting's value as it would be typed after ``--set KEY=``."""
    if value is None:
        return "null"
    return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
