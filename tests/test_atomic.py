"""A file keeps its old content until all of the new is safe, and nothing else is ever left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.atomic import replacing, temporary_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with something in it, alone in its folder."""
    (tmp_path / "record.json").write_bytes(b"old")
    return tmp_path / "record.json"


def assert_untouched(file: Path) -> None:
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_the_new_content_takes_the_place_when_the_block_ends_and_not_before(file: Path) -> None:
    with replacing(file) as handle:
        handle.write(b"new")
        handle.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_was_not_there_is_made(tmp_path: Path) -> None:
    with replacing(tmp_path / "page.html", "w") as handle:
        handle.write("é")
    assert (tmp_path / "page.html").read_bytes() == b"\xc3\xa9"  # UTF-8, whatever the machine's locale


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_is_left_early_changes_nothing(file: Path, error: type[BaseException]) -> None:
    def half() -> None:
        with replacing(file) as handle:
            handle.write(b"ne")
            raise error

    with pytest.raises(error):
        half()
    assert_untouched(file)


def test_a_full_disk_changes_nothing(file: Path) -> None:
    temporary_path(file).symlink_to("/dev/full")  # the kernel's own full disk
    with pytest.raises(OSError, match="No space left"), replacing(file) as handle:
        handle.write(b"new")
    assert_untouched(file)


def test_a_check_sees_all_that_was_written_and_may_refuse_it(file: Path) -> None:
    seen = []

    def refuse(written: Path) -> None:
        seen.append(written.read_bytes())
        raise ValueError("not what was meant")

    with pytest.raises(ValueError, match="not what was meant"), replacing(file, check=refuse) as handle:
        handle.write(b"new")
    assert seen == [b"new"]
    assert_untouched(file)


def test_content_is_on_the_disk_before_the_rename_and_the_rename_before_the_end(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, real = [], os.fsync

    def fsync(descriptor: int) -> None:
        what = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((what, file.read_bytes()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing(file) as handle:
        handle.write(b"new")
    assert synced == [(temporary_path(file), b"old"), (file.parent, b"new")]
