from __future__ import annotations

import gzip
import hashlib

import pytest

from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.data.verifying import verify

DATA = b"some published bytes"
PACKED = gzip.compress(DATA, mtime=0)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def spec() -> DatasetSpec:
    """One compressed file with checksums for both forms, and one without any for what is inside."""
    vouched = RemoteFile(name="a.gz", md5=md5(PACKED), contents=(RemoteFile(name="a", md5=md5(DATA)),))
    unvouched = RemoteFile(name="b.gz", md5=md5(PACKED), contents=(RemoteFile(name="b", size=len(DATA)),))
    return DatasetSpec(
        name="things", summary="", load="x:y", kind="images", shape=None, classes=None, splits={"train": None},
        licence="", source="somewhere", files=(vouched, unvouched),
    )  # fmt: skip


def states(spec, root) -> dict[str, str]:
    return {state.name: f"{state.state}, {state.detail}" for state in verify(spec, root)}


def test_published_files_are_ok(spec, tmp_path) -> None:
    for name in ("a.gz", "b.gz"):
        (tmp_path / name).write_bytes(PACKED)
    assert states(spec, tmp_path) == {name: "ok, has the published checksum" for name in ("a.gz", "b.gz")}


def test_files_compressed_anew_pass_only_where_their_contents_are_vouched_for(spec, tmp_path) -> None:
    for name in ("a.gz", "b.gz"):
        (tmp_path / name).write_bytes(gzip.compress(DATA, 1, mtime=1))
    found = states(spec, tmp_path)
    assert found["a.gz"] == "ok, compressed anew, its contents have the published checksum"
    assert found["b.gz"].startswith("corrupt, its md5 is")


def test_unpacked_files_are_checked_so_far_as_possible(spec, tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(DATA)
    assert states(spec, tmp_path) == {
        "a": "ok, has the published checksum",
        "b": "unchecked, no checksum is published for it in this form",
    }
    (tmp_path / "a").write_bytes(DATA[::-1])
    (tmp_path / "b").write_bytes(DATA[1:])
    found = states(spec, tmp_path)
    assert found["a"].startswith("corrupt, its md5 is")
    assert found["b"] == "corrupt, 19 bytes, but 20 were published"


def test_missing_files_say_where_they_were_looked_for(spec, tmp_path) -> None:
    said = f"missing, looked for in {tmp_path}/things and {tmp_path}"
    assert states(spec, tmp_path) == {"a.gz": said, "b.gz": said}


def test_a_truncated_file_is_corrupt(spec, tmp_path) -> None:
    (tmp_path / "a.gz").write_bytes(PACKED[:-5])
    assert states(spec, tmp_path)["a.gz"].startswith(
        f"corrupt, {tmp_path}/a.gz is truncated or corrupt: Compressed file"
    )
