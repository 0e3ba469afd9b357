"""Whether a data set's files are there and are what was published, one by one."""

from __future__ import annotations

from pathlib import Path

from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.data.files import find, looked_in, unpack
from harness.errors import DataError
from harness.files.checks import FileState, difference, has_checksum


def verify(spec: DatasetSpec, root: Path) -> list[FileState]:
    """Look at every file that a data set needs, packed or unpacked."""
    return [state for file in spec.files for state in verify_file(spec, file, root)]


def verify_file(spec: DatasetSpec, file: RemoteFile, root: Path) -> list[FileState]:
    """Look at one file: the packed one where it is there, else each of its contents that should stand in for it."""
    path = find(spec, file.name, root)
    if path is not None:
        return [_packed(spec, file, path, root)]
    if not any(find(spec, content.name, root) for content in file.contents):
        return [FileState(file.name, "missing", None, looked_in(spec, root))]
    return [_unpacked(spec, content, root) for content in file.contents]


def _packed(spec: DatasetSpec, file: RemoteFile, path: Path, root: Path) -> FileState:
    try:
        problem = difference(file, path)
    except OSError as error:
        return FileState(file.name, "corrupt", path, f"cannot be read: {error.strerror}")
    if problem is None:
        return _found(file, path)
    if not file.contents or not all(map(has_checksum, file.contents)):
        return FileState(file.name, "corrupt", path, problem)
    try:
        unpack(spec, file, path, root, [content.name for content in file.contents])
    except DataError as error:
        return FileState(file.name, "corrupt", path, error.problem)
    return FileState(file.name, "ok", path, "compressed anew, its contents have the published checksum")


def _unpacked(spec: DatasetSpec, content: RemoteFile, root: Path) -> FileState:
    path = find(spec, content.name, root)
    if path is None:
        return FileState(content.name, "missing", None, looked_in(spec, root))
    try:
        problem = difference(content, path)
    except OSError as error:
        return FileState(content.name, "corrupt", path, f"cannot be read: {error.strerror}")
    return _found(content, path) if problem is None else FileState(content.name, "corrupt", path, problem)


def _found(file: RemoteFile, path: Path) -> FileState:
    if has_checksum(file):
        return FileState(file.name, "ok", path, "has the published checksum")
    return FileState(file.name, "unchecked", path, "no checksum is published for it in this form")
