from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from harness.contracts.specs import DatasetSpec, RemoteFile
from harness.data.files import data_root, fetch_command, find, missing, read
from harness.errors import DataError

DATA = b"some published bytes"
MD5 = hashlib.md5(DATA).hexdigest()
SHA256 = hashlib.sha256(DATA).hexdigest()


def spec(*files: RemoteFile) -> DatasetSpec:
    return DatasetSpec(
        name="things", summary="", load="x:y", kind="images", shape=None, classes=None, splits={"train": None},
        licence="", source="https://things.example", files=files,
    )  # fmt: skip


def test_the_root_is_the_one_given_else_the_environments_else_the_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    assert data_root(Path("here")) == Path("here")
    assert data_root() == tmp_path
    monkeypatch.delenv("HARNESS_DATA")
    assert data_root() == Path.home() / ".cache" / "harness" / "data"
    assert data_root(Path("~/x")) == Path.home() / "x"


def test_files_are_found_in_the_sets_own_folder_first(tmp_path) -> None:
    file = RemoteFile(name="a.bin")
    assert find(spec(file), "a.bin", tmp_path) is None
    (tmp_path / "a.bin").write_bytes(b"")
    assert find(spec(file), "a.bin", tmp_path) == tmp_path / "a.bin"
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "a.bin").write_bytes(b"")
    assert find(spec(file), "a.bin", tmp_path) == tmp_path / "things" / "a.bin"


def test_a_missing_file_says_which_where_and_how_to_get_it(tmp_path) -> None:
    file = RemoteFile(name="a.gz", url="http://x/a.gz", contents=(RemoteFile(name="a"),))
    said = str(missing(spec(file), file, tmp_path))
    assert said == (
        f"data set 'things' needs a.gz (or a), looked for in {tmp_path}/things and {tmp_path}; "
        f"get it with: harness data fetch things --data-root {tmp_path}"
    )


def test_a_file_without_an_address_says_where_to_put_it(tmp_path) -> None:
    file = RemoteFile(name="a.bin")
    assert str(missing(spec(file), file, tmp_path)).endswith(
        "put it there by hand, it is published at https://things.example"
    )


def test_a_file_compressed_anew_is_read_when_its_contents_are_vouched_for(tmp_path) -> None:
    file = RemoteFile(name="a.gz", md5="0" * 32, contents=(RemoteFile(name="a", md5=MD5),))
    (tmp_path / "a.gz").write_bytes(gzip.compress(DATA, 1))
    assert read(spec(file), ["a"], tmp_path)["a"].data == DATA


def test_where_nobody_vouches_for_the_contents_the_packed_file_must_be_the_published_one(tmp_path) -> None:
    packed = gzip.compress(DATA, mtime=0)
    (tmp_path / "a.gz").write_bytes(packed)
    contents = (RemoteFile(name="a"),)
    right = RemoteFile(name="a.gz", md5=hashlib.md5(packed).hexdigest(), contents=contents)
    assert read(spec(right), ["a"], tmp_path)["a"].data == DATA
    wrong = RemoteFile(name="a.gz", md5="0" * 32, url="http://x/a.gz", contents=contents)
    with pytest.raises(
        DataError, match=r"a\.gz is truncated or corrupt: its md5 is .*; delete it and run: harness data"
    ):
        read(spec(wrong), ["a"], tmp_path)


def test_a_file_that_is_not_packed_is_read_and_checked_too(tmp_path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    assert read(spec(RemoteFile(name="a", sha256=SHA256)), ["a"], tmp_path)["a"].path == tmp_path / "a"
    with pytest.raises(DataError, match="its md5"):
        read(spec(RemoteFile(name="a", md5="0" * 32)), ["a"], tmp_path)


def test_names_that_no_spec_declares_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="'things' declares no file b"):
        read(spec(), ["b"], tmp_path)


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "a").write_bytes(DATA)
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read what nobody may
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read(spec(RemoteFile(name="a")), ["a"], tmp_path)


def test_the_command_can_be_typed_as_it_is_even_where_the_path_has_spaces(tmp_path) -> None:
    import shlex

    root = tmp_path / "my data"
    assert shlex.split(fetch_command(spec(), root))[-1] == str(root)
