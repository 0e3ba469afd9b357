"""Compressed files and archives are read in place, so far as they are wanted and no further."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.files.archives import BROKEN, from_gzip, from_tar

DATA = bytes(range(256)) * 200
MEMBERS = {"./a/first.bin": b"first", "a/second.bin": DATA, "a/third.bin": b"third"}


def tar_of(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    """A tar archive of these members, and of a folder and a link besides."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, kind in (("a", tarfile.DIRTYPE), ("a/link.bin", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "second.bin" if kind == tarfile.SYMTYPE else ""
            archive.addfile(member)
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_are_found_by_name_however_the_archive_is_compressed(mode: str, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", MEMBERS, mode)
    assert from_tar(path, {"a/first.bin", "a/third.bin"}) == {"a/first.bin": b"first", "a/third.bin": b"third"}
    assert [found.name for found in tmp_path.iterdir()] == ["x.tar"]  # nothing was unpacked beside it


def test_what_is_not_there_and_what_is_no_file_are_left_out(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", MEMBERS)
    wanted = {"a/third.bin", "a/fourth.bin", "a", "a/link.bin"}
    assert from_tar(path, wanted) == {"a/third.bin": b"third"}


def test_nothing_after_the_last_member_that_is_wanted_is_read(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(200_000)  # which cannot be compressed
    path = tar_of(tmp_path / "x.tar", {**MEMBERS, "a/noise.bin": noise}, "w:gz")
    path.write_bytes(path.read_bytes()[:100_000])
    assert from_tar(path, {"a/first.bin", "a/second.bin"}) == {"a/first.bin": b"first", "a/second.bin": DATA}
    with pytest.raises(BROKEN):
        from_tar(path, {"a/first.bin", "a/noise.bin"})


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_archive_that_ends_early_is_broken_and_never_half_a_member(mode: str, share: float, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", {"a/second.bin": DATA * 10}, mode)
    whole = path.read_bytes()
    end = len(whole) if mode != "w" else whole.rindex(DATA) + len(DATA)  # zeros pad a plain one
    path.write_bytes(whole[: int(share * end)])
    with pytest.raises(BROKEN):
        from_tar(path, {"a/second.bin"})


def test_a_member_of_which_the_last_bytes_are_missing_is_broken_too(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", {"a/second.bin": DATA})
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(DATA) + len(DATA) - 7])
    with pytest.raises(BROKEN):
        from_tar(path, {"a/second.bin"})


def test_a_gzip_file_gives_its_bytes_or_is_broken(tmp_path: Path) -> None:
    path, packed = tmp_path / "x.gz", gzip.compress(DATA)
    path.write_bytes(packed)
    assert from_gzip(path) == DATA
    flipped = bytes([*packed[:-6], packed[-6] ^ 1, *packed[-5:]])  # a bit of its own checksum
    no_block = bytes([*packed[:10], packed[10] | 6, *packed[11:]])  # of a kind that there is not
    for broken in (no_block, packed[:-3], packed[: len(packed) // 2], b"something else", flipped):
        path.write_bytes(broken)
        with pytest.raises(BROKEN):
            from_gzip(path)
