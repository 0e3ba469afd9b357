"""A tree of image files, in a folder or in an archive, behind one face: names first, then bytes in one pass.

Archives are never unpacked to disk, so a member called ``../x`` has nowhere to go; it is refused all the same.
"""

from __future__ import annotations

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from harness.errors import DataError

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"))
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz")

#: what zipfile, tarfile and their decompressors raise for broken archives (RuntimeError: an encrypted member)
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError)


class Listing(NamedTuple):
    """What a tree holds, as paths below its root, "/" between their parts.

    :ivar images: image files by their suffix, sorted.
    :ivar folders: every folder, sorted, whether or not it holds images.
    :ivar ignored: how many other files there are.
    """

    images: list[str]
    folders: list[str]
    ignored: int


class ImageTree:
    """The images under a path.

    :param path: a folder, or an archive by one of the suffixes in `ARCHIVES`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kind = _kind(path)

    def listing(self) -> Listing:
        """Names only; a tar archive is read through once for them."""
        names = {"folder": self._folder_names, "zip": self._zip_names, "tar": self._tar_names}[self._kind]
        images: list[str] = []
        folders: set[str] = set()
        ignored = 0
        with self._readable():
            for name, is_folder in names():
                self._refuse_outside(name)
                path = PurePosixPath(name)
                if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
                    continue
                folders.update(str(parent) for parent in path.parents if parent.parts)
                if is_folder:
                    folders.add(str(path))
                elif path.suffix.lower() in SUFFIXES:
                    images.append(str(path))
                else:
                    ignored += 1
        return Listing(sorted(images), sorted(folders), ignored)

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of some images, in the order in which they are stored."""
        reader = {"folder": self._folder_bytes, "zip": self._zip_bytes, "tar": self._tar_bytes}[self._kind]
        with self._readable():
            yield from reader(frozenset(names))

    def where(self, name: str) -> str:
        """What to call a file of the tree in an error."""
        return str(self.path / name) if self._kind == "folder" else f"{name} in {self.path}"

    # -- folders -----------------------------------------------------------------------------------

    def _folder_names(self) -> Iterator[tuple[str, bool]]:
        for folder, folders, files in os.walk(self.path, followlinks=True):
            below = Path(folder).relative_to(self.path)
            for name in folders:
                yield (below / name).as_posix(), True
            for name in files:
                if os.path.isfile(os.path.join(folder, name)) or not os.path.exists(os.path.join(folder, name)):
                    yield (below / name).as_posix(), False  # a broken link is said when it is read; a pipe never ends

    def _folder_bytes(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(names):
            yield name, (self.path / name).read_bytes()

    # -- zip ---------------------------------------------------------------------------------------

    def _zip_names(self) -> Iterator[tuple[str, bool]]:
        with zipfile.ZipFile(self.path) as archive:
            for member in archive.infolist():
                yield member.filename, member.is_dir()

    def _zip_bytes(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(self.path) as archive:
            for member in archive.infolist():
                name = str(PurePosixPath(member.filename))
                if name in names:
                    yield name, archive.read(member)

    # -- tar ---------------------------------------------------------------------------------------

    def _tar_names(self) -> Iterator[tuple[str, bool]]:
        with tarfile.open(self.path, "r|*") as archive:
            for member in archive:
                if member.isfile() or member.isdir():  # links point elsewhere: never followed
                    yield member.name, member.isdir()

    def _tar_bytes(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        left = len(names)
        with tarfile.open(self.path, "r|*") as archive:
            while left and (member := archive.next()) is not None:
                name = str(PurePosixPath(member.name))
                stream = archive.extractfile(member) if name in names and member.isfile() else None
                if stream is not None:
                    yield name, stream.read()
                    left -= 1

    # -- errors ------------------------------------------------------------------------------------

    def _refuse_outside(self, name: str) -> None:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"{self.path} holds '{name}', a path that leaves it", "make the archive anew without it")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except BROKEN as error:
            what = "cannot be read" if self._kind == "folder" else "is truncated or corrupt"
            raise DataError(f"{self.path} {what}: {str(error) or type(error).__name__}") from error


def _kind(path: Path) -> str:
    if path.is_dir():
        return "folder"
    tests: dict[str, Callable[[Path], bool]] = {"zip": zipfile.is_zipfile, "tar": _is_tar}
    kind = "zip" if path.name.lower().endswith(".zip") else "tar"
    if not path.name.lower().endswith(ARCHIVES):
        raise DataError(f"{path} is neither a folder nor an archive", f"archives end in {', '.join(ARCHIVES)}")
    if not tests[kind](path):
        raise DataError(f"{path} is no {kind} archive, or it is truncated or corrupt")
    return kind


def _is_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r|*"):
            return True
    except BROKEN:
        return False
