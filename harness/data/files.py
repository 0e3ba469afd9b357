"""Where data files live, and their bytes, read only after they are found to be what was published.

A data set's files are looked for in ROOT/NAME/ and then in ROOT itself, so that ``--data-root`` may also name the very
folder that holds them. Archives are read in place and never unpacked to disk. What a spec's checksums cannot vouch for
(a file unpacked by hand whose own sum nobody published) is left to its reader, which checks headers and lengths.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.errors import DataError
from harness.files.archives import BROKEN, from_gzip, from_tar
from harness.files.checks import difference, has_checksum
from harness.files.downloading import Progress, download_to

ENVIRONMENT = "HARNESS_DATA"


def data_root(given: Path | None = None) -> Path:
    """The folder of all data sets: the one given, else that in ``HARNESS_DATA``, else ``~/.cache/harness/data``."""
    if given is not None:
        return given.expanduser()
    named = os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "harness" / "data"


def own_folder(spec: DatasetSpec, root: Path) -> Path:
    """Where a data set's files belong, and where they are downloaded to."""
    return root / spec.name


def fetch_command(spec: DatasetSpec, root: Path) -> str:
    """What to type to download a data set's files."""
    return f"harness data fetch {spec.name} --data-root {shlex.quote(str(root))}"


# -------------------------------------------------------------------------------------------------
# finding
# -------------------------------------------------------------------------------------------------


def find(spec: DatasetSpec, name: str, root: Path) -> Path | None:
    """The file called `name` (a path below the data set's folder), if it is there."""
    places = (folder / name for folder in (own_folder(spec, root), root))
    # not Path.is_file: that raises where a folder may not be entered
    return next((path for path in places if os.path.isfile(path)), None)


def looked_in(spec: DatasetSpec, root: Path) -> str:
    """The places that :func:`find` looks at, in words."""
    return f"looked for in {own_folder(spec, root)} and {root}"


def download(spec: DatasetSpec, file: RemoteFile, root: Path, progress: Progress | None = None) -> Path:
    """Fetch one file into the data set's own folder.

    :raises DataError: no address, no network, no room, or other bytes than those published.
    """
    return download_to(own_folder(spec, root) / file.name, file, source=spec.source, progress=progress)


def missing(spec: DatasetSpec, file: RemoteFile, root: Path) -> DataError:
    """The error for a file that is nowhere: which, where it was looked for, and how to get it."""
    unpacked = [content.name for content in file.contents]
    also = f" (or {unpacked[0]}{', ...' if len(unpacked) > 1 else ''})" if unpacked else ""
    problem = f"data set '{spec.name}' needs {file.name}{also}, {looked_in(spec, root)}"
    if file.url is None:
        return DataError(problem, f"put it there by hand, it is published at {spec.source}")
    return DataError(problem, f"get it with: {fetch_command(spec, root)}")


# -------------------------------------------------------------------------------------------------
# reading
# -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verified:
    """Bytes of a published file.

    :param path: the file on disk that they came from (an archive, where they were read from one).
    """

    path: Path
    data: bytes


def read(spec: DatasetSpec, names: Sequence[str], root: Path) -> dict[str, Verified]:
    """The files called `names`, by name, from wherever they are: unpacked, or inside a compressed file or archive.

    :raises DataError: a file that is missing, truncated, corrupt or of other bytes than those published.
    """
    found: dict[str, Verified] = {}
    for file in spec.files:
        wanted = [content for content in (file.contents or (file,)) if content.name in names]
        lying = {content.name: find(spec, content.name, root) for content in wanted}
        for content in wanted:
            if (path := lying[content.name]) is not None:
                found[content.name] = Verified(path, _verified(spec, content, path, root))
        packed = [name for name, path in lying.items() if path is None]
        if packed:
            path = find(spec, file.name, root) if file.contents else None
            if path is None:
                raise missing(spec, file, root)
            found |= {name: Verified(path, data) for name, data in unpack(spec, file, path, root, packed).items()}
    undeclared = [name for name in names if name not in found]
    if undeclared:
        raise DataError(f"data set '{spec.name}' declares no file {undeclared[0]}")
    return found


def _verified(spec: DatasetSpec, file: RemoteFile, path: Path, root: Path) -> bytes:
    with _said_of(spec, path, root):
        data = path.read_bytes()
    if problem := difference(file, data):
        raise broken(spec, path, root, problem)
    return data


def unpack(spec: DatasetSpec, file: RemoteFile, path: Path, root: Path, names: Collection[str]) -> dict[str, bytes]:
    """Contents of the compressed file or tar archive at `path`, by name.

    Each is held against its own checksum; the file as a whole only where a content has none.

    :raises DataError: where it is broken or its bytes are others than those published.
    """
    wanted = [content for content in file.contents if content.name in names]
    with _said_of(spec, path, root):
        if not all(has_checksum(content) for content in wanted) and (problem := difference(file, path)):
            raise broken(spec, path, root, problem)
        found = from_tar(path, set(names)) if ".tar" in file.name else {wanted[0].name: from_gzip(path)}
    for content in wanted:
        if content.name not in found:
            raise broken(spec, path, root, f"it holds no {content.name}")
        if problem := difference(content, found[content.name]):
            raise broken(spec, path, root, f"{content.name} in it: {problem}")
    return found


def broken(spec: DatasetSpec, path: Path, root: Path, what: str) -> DataError:
    """The error for a file that is not what was published."""
    downloadable = all(file.url for file in spec.files)
    again = f"run: {fetch_command(spec, root)}" if downloadable else f"get it again from {spec.source}"
    return DataError(f"{path} is truncated or corrupt: {what}", f"delete it and {again}")


@contextmanager
def _said_of(spec: DatasetSpec, path: Path, root: Path) -> Iterator[None]:
    """Errors of reading, as one line that names the file."""
    try:
        yield
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "change its permissions") from error
    except BROKEN as error:
        raise broken(spec, path, root, str(error) or type(error).__name__) from error
