"""Downloads that leave either the published file or nothing: temporary file, checksum, rename."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from harness.contracts.specs import RemoteFile
from harness.errors import DataError
from harness.files.checks import difference

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30

#: called with (file, bytes so far, bytes in all or None)
Progress = Callable[[RemoteFile, int, int | None], None]


#: called with (file, path), returns how the bytes there differ from those published, or None
Check = Callable[[RemoteFile, Path], str | None]


def download_to(
    target: Path, file: RemoteFile, *, source: str, check: Check = difference, progress: Progress | None = None
) -> Path:
    """Fetch one file to a place.

    :param source: who publishes it, for an error.
    :raises DataError: no address, no network, no room, or other bytes than those published.
    """
    if file.url is None:
        raise DataError(
            f"{file.name} has no address to download it from", f"get it from {source} by hand and put it at {target}"
        )
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive(file, partial, progress)
        if problem := check(file, partial):
            raise DataError(f"{file.url} sent other bytes than those published: {problem}")
        os.replace(partial, target)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"cannot download {file.url}: {reason}", f"or put it at {target} by hand") from error
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True) if partial.parent.is_dir() else None
    return target


def _receive(file: RemoteFile, partial: Path, progress: Progress | None) -> None:
    assert file.url is not None
    request = urllib.request.Request(file.url, headers={"User-Agent": "gan-harness"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response, partial.open("wb") as stream:
        announced = response.headers.get("Content-Length")
        total = int(announced) if announced and announced.isdigit() else None
        done = 0
        while chunk := response.read(CHUNK):
            stream.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(file, done, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and done != total:
        raise DataError(f"{file.url} broke off after {done} of {total} bytes", "try again")
