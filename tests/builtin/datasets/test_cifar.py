from __future__ import annotations

import dataclasses
import hashlib
import pickle

import numpy as np
import pytest

from harness.builtin.datasets.cifar import load
from harness.contracts.data import DataRequest
from harness.contracts.specs import RemoteFile
from harness.errors import DataError

PER_BATCH = 3


def images(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3072), dtype=np.uint8)


@pytest.fixture
def members(python2_batch) -> dict[str, bytes]:
    """The members of a small CIFAR-10: five training batches and one for testing, as Python 2 wrote them."""
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    return {
        f"cifar-10-batches-py/{name}": python2_batch(images(PER_BATCH, k), [k, k + 1, 9])
        for k, name in enumerate(names)
    }


@pytest.fixture
def small(spec_of, members, contents_of):
    """CIFAR-10's spec for the small files."""
    file = RemoteFile(name="cifar-10-python.tar.gz", md5="0" * 32, url="http://x", contents=contents_of(members))
    return spec_of("cifar10", splits={"train": 5 * PER_BATCH, "test": PER_BATCH}, files=(file,))


def put_folder(root, members) -> None:
    for name, data in members.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.mark.parametrize("place", ["archive", "folder", "folder at the root"])
def test_archive_and_folder_give_the_batches_in_their_order(small, members, tar_of, tmp_path, place) -> None:
    if place == "archive":
        tar_of(tmp_path / "cifar10" / "cifar-10-python.tar.gz", dict(reversed(members.items())))
    else:
        put_folder(tmp_path if "root" in place else tmp_path / "cifar10", members)
    train = load(DataRequest(small, tmp_path, "train"))
    wanted = np.concatenate([images(PER_BATCH, k) for k in range(5)]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(train.values, wanted)
    assert train.labels.tolist() == [label for k in range(5) for label in (k, k + 1, 9)]
    test = load(DataRequest(small, tmp_path, "test"))
    np.testing.assert_array_equal(test.values, images(PER_BATCH, 5).reshape(-1, 3, 32, 32))
    assert train.classes[0] == "airplane"


def test_nothing_is_written_beside_the_archive(small, members, tar_of, tmp_path) -> None:
    archive = tar_of(tmp_path / "cifar10" / "cifar-10-python.tar.gz", members)
    load(DataRequest(small, tmp_path, "train"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]


def test_cifar100_takes_the_fine_labels(spec_of, contents_of, tar_of, tmp_path) -> None:
    batch = {"data": images(2, 0), "coarse_labels": [0, 1], "fine_labels": [99, 42]}
    members = {"cifar-100-python/train": pickle.dumps(batch, protocol=3), "cifar-100-python/test": b"unread"}
    file = RemoteFile(name="cifar-100-python.tar.gz", contents=contents_of(members))
    spec = spec_of("cifar100", splits={"train": 2, "test": 2}, files=(file,))
    tar_of(tmp_path / "cifar100" / file.name, members)
    split = load(DataRequest(spec, tmp_path, "train"))
    assert [split.classes[label] for label in split.labels] == ["worm", "leopard"]


def test_missing_archive_names_the_command(small, tmp_path) -> None:
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz .*harness data fetch cifar10 --data-root"):
        load(DataRequest(small, tmp_path, "train"))


def test_a_truncated_archive_names_itself(small, members, tar_of, tmp_path) -> None:
    archive = tar_of(tmp_path / "cifar10" / "cifar-10-python.tar.gz", members)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz is truncated or corrupt"):
        load(DataRequest(small, tmp_path, "test"))


def test_an_archive_of_something_else_says_what_it_lacks(small, tar_of, tmp_path) -> None:
    tar_of(tmp_path / "cifar10" / "cifar-10-python.tar.gz", {"readme.txt": b"hello"})
    with pytest.raises(DataError, match="it holds no cifar-10-batches-py/data_batch_1"):
        load(DataRequest(small, tmp_path, "train"))


def test_changed_bytes_are_refused_before_they_are_unpickled(
    small, members, evil_pickle, tar_of, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    padded = evil_pickle.ljust(len(members["cifar-10-batches-py/data_batch_1"]), b"\0")
    tar_of(tmp_path / "cifar10" / "cifar-10-python.tar.gz", members | {"cifar-10-batches-py/data_batch_1": padded})
    with pytest.raises(DataError, match="data_batch_1 in it: its md5 is"):
        load(DataRequest(small, tmp_path, "train"))
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ({"data": images(2, 0), "labels": [1, 10]}, "label 10, but there are 10 classes"),
        ({"data": images(2, 0), "labels": [-1, 1]}, "label -1, but there are 10 classes"),
        ({"data": images(2, 0), "labels": [1]}, "no list of 2 labels"),
        ({"data": images(2, 0), "labels": ["a", "b"]}, "no list of 2 labels"),
        ({"data": images(2, 0)[:, :100], "labels": [1, 1]}, "'data' is not uint8"),
        ({"labels": [1, 1]}, "'data' is not uint8"),
        ([1, 2], "'data' is not uint8"),
        ({"data": images(2, 0), "labels": [1, 1]}, "holds 2 test images, but there are 3"),
    ],
)
def test_batches_of_another_layout_are_refused(small, tmp_path, batch, said) -> None:
    bare = RemoteFile(name="x.tar.gz", contents=tuple(RemoteFile(name=c.name) for c in small.files[0].contents))
    spec = dataclasses.replace(small, files=(bare,))
    put_folder(tmp_path, {"cifar-10-batches-py/test_batch": pickle.dumps(batch)})
    with pytest.raises(DataError, match=said) as caught:
        load(DataRequest(spec, tmp_path, "test"))
    assert str(tmp_path) in str(caught.value)


def test_an_unvouched_pickle_that_runs_code_is_refused(small, evil_pickle, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    inner = RemoteFile(name="cifar-10-batches-py/test_batch", md5=hashlib.md5(evil_pickle).hexdigest())
    spec = dataclasses.replace(small, files=(RemoteFile(name="x.tar.gz", contents=(inner,)),))
    put_folder(tmp_path, {"cifar-10-batches-py/test_batch": evil_pickle})
    with pytest.raises(DataError, match="no safe pickle"):
        load(DataRequest(spec, tmp_path, "test"))
    assert not (tmp_path / "evil.txt").exists()
