"""A file is the published one so far as its size and a checksum tell, and what differs is said in words."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.contracts.specs import RemoteFile
from harness.files import checks
from harness.files.checks import difference, has_checksum, sha256_of

DATA = b"some published bytes"
MD5 = hashlib.md5(DATA).hexdigest()
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize(
    "file",
    [RemoteFile(name="a", md5=MD5), RemoteFile(name="a", sha256=SHA256, size=len(DATA)), RemoteFile(name="a")],
)
def test_published_bytes_differ_in_nothing(file: RemoteFile, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    assert difference(file, DATA) is None
    assert difference(file, tmp_path / "a") is None


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (RemoteFile(name="a", md5="0" * 32), f"its md5 is {MD5}, but {'0' * 32} was published"),
        (RemoteFile(name="a", sha256="0" * 64, md5=MD5), f"its sha256 is {SHA256}, but {'0' * 64} was published"),
        (RemoteFile(name="a", md5=MD5, size=3), "20 bytes, but 3 were published"),
    ],
)
def test_other_bytes_say_how_they_differ(file: RemoteFile, said: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    assert difference(file, DATA) == said
    assert difference(file, tmp_path / "a") == said


@pytest.mark.parametrize("digits", [8, 63])
def test_a_prefix_of_a_checksum_is_compared_as_far_as_it_goes(digits: int) -> None:
    assert difference(RemoteFile(name="a", sha256=SHA256[:digits]), DATA) is None
    other = SHA256[: digits - 1] + ("0" if SHA256[digits - 1] != "0" else "1")
    assert difference(RemoteFile(name="a", sha256=other), DATA) == f"its sha256 is {SHA256}, but {other} was published"


def test_of_two_checksums_the_stronger_decides() -> None:
    assert difference(RemoteFile(name="a", sha256=SHA256, md5="0" * 32), DATA) is None


def test_a_size_alone_is_no_checksum() -> None:
    assert not has_checksum(RemoteFile(name="a", size=20))
    assert has_checksum(RemoteFile(name="a", md5=MD5))
    assert has_checksum(RemoteFile(name="a", sha256=SHA256[:8]))


def test_a_large_file_is_read_once_and_anew_when_its_time_or_its_size_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened, digest = tmp_path / "a", [], checks.hashlib.file_digest
    monkeypatch.setattr(checks.hashlib, "file_digest", lambda *given: opened.append(given) or digest(*given))

    def sha256_after(data: bytes, time: int) -> str:
        path.write_bytes(data)
        os.utime(path, ns=(time, time))
        return sha256_of(path)

    assert sha256_after(DATA, 1) == sha256_of(path) == SHA256
    assert len(opened) == 1
    for number, (data, time) in enumerate([(DATA[::-1], 2), (DATA[1:], 2)], 2):
        assert sha256_after(data, time) == hashlib.sha256(data).hexdigest()
        assert len(opened) == number
