"""Options that several commands share, declared once so that they are spelt and explained alike."""

from __future__ import annotations

from typing import Annotated

import typer

Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="NAME", help="Leave a plugin out. May be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
