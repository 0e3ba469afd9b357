"""Files that have either their old content or all of the new, whatever happens in between."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replacing(path: Path, mode: str = "wb", check: Callable[[Path], None] | None = None) -> Iterator[IO[Any]]:
    """A handle whose content takes the place of `path` once the block ends: temporary file, fsync, rename.

    Where the block or the disk fails, the old file is untouched and nothing else is left.

    :param check: called with the temporary file before it takes the place; what it raises stops that.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open(mode, encoding=None if "b" in mode else "utf-8") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        if check is not None:
            check(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_path(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.part")


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable (a rename is one)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
