"""Whether a file is what was published, so far as its size and a checksum tell.

Of some files only the first digits of a SHA-256 are published, in their very names; such a prefix is compared as far as
it goes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from harness.contracts.specs import RemoteFile


@dataclass(frozen=True)
class FileState:
    """What is known of one file.

    :param state: "unchecked" where nobody published a checksum for the form that is at hand.
    :param path: where it was found; None where it was not.
    :param detail: how it was checked, or what is wrong with it.
    """

    name: str
    state: Literal["ok", "unchecked", "missing", "corrupt"]
    path: Path | None
    detail: str


def has_checksum(file: RemoteFile) -> bool:
    """Whether a checksum of this file was published."""
    return file.sha256 is not None or file.md5 is not None


def difference(file: RemoteFile, data: bytes | Path) -> str | None:
    """How bytes, or the file at a path, differ from what was published; None where they agree so far as is known."""
    size = data.stat().st_size if isinstance(data, Path) else len(data)
    if file.size is not None and size != file.size:
        return f"{size} bytes, but {file.size} were published"
    for algorithm, published in (("sha256", file.sha256), ("md5", file.md5)):
        if published is not None:
            got = _checksum(algorithm, data)
            return f"its {algorithm} is {got}, but {published} was published" if not got.startswith(published) else None
    return None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; read again only where its time or its size has changed."""
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _sha256(path: Path, changed: int, size: int) -> str:
    return _of_file("sha256", path)


def _checksum(algorithm: str, data: bytes | Path) -> str:
    if isinstance(data, bytes):
        return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    return sha256_of(data) if algorithm == "sha256" else _of_file(algorithm, data)


def _of_file(algorithm: str, path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
