from __future__ import annotations

import dataclasses
import gzip
import hashlib

import numpy as np
import pytest

from harness.builtin.datasets.idx import load
from harness.contracts.data import DataRequest
from harness.contracts.specs import RemoteFile
from harness.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 9, 4, 5], dtype=np.uint8)
IMAGE_FILE, LABEL_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def small(spec_of, idx_bytes):
    """MNIST's spec for six images, with the checksums of `IMAGES` and `LABELS`."""

    def file(name: str, data: bytes) -> RemoteFile:
        inner = RemoteFile(name=name, md5=hashlib.md5(data).hexdigest(), size=len(data))
        return RemoteFile(name=f"{name}.gz", md5="0" * 32, url=f"http://x/{name}.gz", contents=(inner,))

    files = (file(IMAGE_FILE, idx_bytes(IMAGES)), file(LABEL_FILE, idx_bytes(LABELS)))
    return spec_of("mnist", splits={"train": 6, "test": 6}, files=files)


@pytest.fixture
def unvouched(small):
    """The same without any checksum: what a reader must find out by itself."""
    files = tuple(RemoteFile(name=f.name, contents=(RemoteFile(name=f.contents[0].name),)) for f in small.files)
    return dataclasses.replace(small, files=files)


def put(folder, packed: bool, images: bytes, labels: bytes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in ((IMAGE_FILE, images), (LABEL_FILE, labels)):
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["mnist", "."])
def test_packed_and_unpacked_files_are_read_from_the_root_or_below(small, idx_bytes, tmp_path, packed, below) -> None:
    put(tmp_path / below, packed, idx_bytes(IMAGES), idx_bytes(LABELS))
    split = load(DataRequest(small, tmp_path, "train"))
    np.testing.assert_array_equal(split.values, IMAGES[:, None])
    np.testing.assert_array_equal(split.labels, LABELS)
    assert split.classes == tuple("0123456789")
    assert split.values.flags.writeable


def test_missing_files_are_named_with_the_place_and_the_command(small, tmp_path) -> None:
    with pytest.raises(DataError) as caught:
        load(DataRequest(small, tmp_path, "train"))
    said = str(caught.value)
    assert "train-images-idx3-ubyte.gz" in said
    assert str(tmp_path / "mnist") in said
    assert f"harness data fetch mnist --data-root {tmp_path}" in said


def test_other_bytes_than_those_published_are_refused(small, idx_bytes, tmp_path) -> None:
    other = IMAGES.copy()
    other[0, 0, 0] ^= 1
    put(tmp_path / "mnist", True, idx_bytes(other), idx_bytes(LABELS))
    with pytest.raises(DataError, match=r"images-idx3-ubyte.gz is truncated or corrupt: .* its md5 is"):
        load(DataRequest(small, tmp_path, "train"))


@pytest.mark.parametrize("kept", [0, 5, 200])
def test_a_truncated_gzip_names_the_file(unvouched, idx_bytes, tmp_path, kept) -> None:
    put(tmp_path / "mnist", True, idx_bytes(IMAGES), idx_bytes(LABELS))
    path = tmp_path / "mnist" / f"{IMAGE_FILE}.gz"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz"):
        load(DataRequest(unvouched, tmp_path, "train"))


def test_a_file_that_is_no_gzip_names_itself(unvouched, idx_bytes, tmp_path) -> None:
    put(tmp_path / "mnist", True, idx_bytes(IMAGES), idx_bytes(LABELS))
    (tmp_path / "mnist" / f"{IMAGE_FILE}.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is truncated or corrupt: Not a gzipped file"):
        load(DataRequest(unvouched, tmp_path, "train"))


def broken_images(idx_bytes) -> dict[str, tuple[bytes, str]]:
    whole = idx_bytes(IMAGES)
    return {
        "magic": (b"\x00\x00\x0d\x03" + whole[4:], "no IDX file of 3 dimensions: it starts with 00 00 0d 03"),
        "empty": (b"", "starts with nothing"),
        "header": (whole[:10], "header ends early"),
        "short": (whole[:-1], "4719 bytes, but its header announces 4720"),
        "long": (whole + b"x", "4721 bytes, but its header announces 4720"),
        "size": (idx_bytes(IMAGES[:, :20, :20]), "20x20 pixels, not 28x28"),
        "count": (idx_bytes(IMAGES[:5]), "5 images, but split 'train' has 6"),
    }


@pytest.mark.parametrize("case", ["magic", "empty", "header", "short", "long", "size", "count"])
def test_what_a_checksum_cannot_vouch_for_is_checked_by_its_layout(unvouched, idx_bytes, tmp_path, case) -> None:
    images, said = broken_images(idx_bytes)[case]
    put(tmp_path / "mnist", False, images, idx_bytes(LABELS))
    with pytest.raises(DataError, match=said) as caught:
        load(DataRequest(unvouched, tmp_path, "train"))
    assert str(tmp_path / "mnist" / IMAGE_FILE) in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0, 1, 2, 10, 4, 5], "label 10, but there are 10 classes"), ([0, 1], "2 labels for 6 images")],
)
def test_labels_that_cannot_be_are_refused(unvouched, idx_bytes, tmp_path, labels, said) -> None:
    put(tmp_path / "mnist", False, idx_bytes(IMAGES), idx_bytes(np.array(labels)))
    with pytest.raises(DataError, match=said):
        load(DataRequest(unvouched, tmp_path, "train"))


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_files_load_and_are_balanced_as_published(name, spec_of, real_data) -> None:
    train = load(DataRequest(spec_of(name), real_data, "train"))
    test = load(DataRequest(spec_of(name), real_data, "test"))
    assert train.values.shape == (60_000, 1, 28, 28)
    assert test.values.shape == (10_000, 1, 28, 28)
    counts = np.bincount(train.labels)
    if name == "mnist":
        assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert train.values.mean() == pytest.approx(0.1307 * 255, abs=0.02)  # the mean everybody normalises by
    else:
        assert counts.tolist() == [6000] * 10
