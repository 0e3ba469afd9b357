"""Where the pictures that belong to numbers go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.runs.grids import write_picture


def figures_in(folder: Path | None) -> Callable[[str, bytes], None] | None:
    """A function that writes a picture to ``figures/STEM.png`` below a folder; None where there is no folder."""
    if folder is None:
        return None

    def write(stem: str, picture: bytes) -> None:
        write_picture(folder / "figures" / f"{stem}.png", picture)

    return write
