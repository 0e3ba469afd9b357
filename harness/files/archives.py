"""Compressed files and archives, read in place and never unpacked to disk."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zlib
from pathlib import Path

#: what gzip, xz and tar raise for a file that is truncated or of another format
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError)


def from_gzip(path: Path) -> bytes:
    """The bytes of a gzip file."""
    with gzip.open(path) as stream:
        return stream.read()


def from_tar(path: Path, names: set[str]) -> dict[str, bytes]:
    """Members by name, in one pass that stops at the last one wanted."""
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            stream = archive.extractfile(member) if name in names and member.isfile() else None
            if stream is not None:
                found[name] = stream.read()
                if len(found[name]) != member.size:
                    raise EOFError(f"{name} ends early")
                if len(found) == len(names):
                    break
    return found
