"""Options that several commands share, declared once so that they are spelt and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="NAME", help="Leave a plugin out. May be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DataRoot = Annotated[Path | None, typer.Option("--data-root", help="The folder of all data sets.")]
