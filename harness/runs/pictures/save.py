"""Where the pictures that belong to numbers go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.atomic import replacing
from harness.errors import UserError


def figures_in(folder: Path | None) -> Callable[[str, bytes], None] | None:
    """A function that writes a picture to ``STEM.png`` in a folder; None where there is no folder."""
    if folder is None:
        return None

    def write(stem: str, picture: bytes) -> None:
        write_picture(folder / f"{stem}.png", picture)

    return write


def made_folder(path: Path) -> Path:
    """A folder that is there, made where it was not.

    :raises UserError: where it cannot be made; for use before any work.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write to {path}: {error.strerror or error}", "name a folder that can be made"
        ) from error
    return path


def write_picture(path: Path, data: bytes) -> None:
    """Write a PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as handle:
        handle.write(data)
