from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.builtin.datasets.stl10 import load
from harness.contracts.data import DataRequest, Split
from harness.contracts.specs import RemoteFile
from harness.data.loading import LoadedDataset
from harness.errors import DataError

SHAPE = (3, 6, 4)  # higher than wide, so that rows and columns cannot be mixed up unseen
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)


def column_by_column(images: np.ndarray) -> bytes:
    return b"".join(plane.tobytes(order="F") for image in images for plane in image)


@pytest.fixture
def members() -> dict[str, bytes]:
    pixels = column_by_column(IMAGES)
    labels = bytes((1, 10, 3, 4, 5))
    return {
        "stl10_binary/test_X.bin": pixels,
        "stl10_binary/test_y.bin": labels,
        "stl10_binary/train_X.bin": pixels,
        "stl10_binary/train_y.bin": labels,
        "stl10_binary/unlabeled_X.bin": pixels,
    }


@pytest.fixture
def small(spec_of, members, contents_of):
    file = RemoteFile(name="stl10_binary.tar.gz", contents=contents_of(members), url="http://x")
    return spec_of("stl10", shape=SHAPE, splits={"train": 5, "test": 5, "unlabeled": 5}, files=(file,))


@pytest.mark.parametrize("packed", [True, False])
def test_pixels_are_turned_upright_and_labels_start_at_zero(small, members, tar_of, tmp_path, packed) -> None:
    if packed:
        tar_of(tmp_path / "stl10" / "stl10_binary.tar.gz", members)
    else:
        (tmp_path / "stl10_binary").mkdir()
        for name, data in members.items():
            (tmp_path / name).write_bytes(data)
    split = load(DataRequest(small, tmp_path, "train"))
    np.testing.assert_array_equal(split.values, IMAGES)
    assert split.labels.tolist() == [0, 9, 2, 3, 4]
    assert split.classes[9] == "truck"


def test_the_unlabelled_split_has_neither_labels_nor_classes(small, members, tar_of, tmp_path) -> None:
    tar_of(tmp_path / "stl10" / "stl10_binary.tar.gz", members)
    split = load(DataRequest(small, tmp_path, "unlabeled"))
    assert (split.labels, split.classes, len(split)) == (None, (), 5)


def test_labelled_and_unlabelled_images_are_trained_on_together(small, members, tar_of, tmp_path, catalog) -> None:
    tar_of(tmp_path / "stl10" / "stl10_binary.tar.gz", members)
    training = LoadedDataset("stl10", small, tmp_path, catalog, train_split="train+unlabeled").training()
    assert isinstance(training, Split)
    np.testing.assert_array_equal(training.values, np.concatenate([IMAGES, IMAGES]))
    assert training.labels is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("train_X.bin", column_by_column(IMAGES)[:-1], "no whole number of images of 72 bytes"),
        ("train_X.bin", b"", "no whole number of images"),
        ("train_X.bin", column_by_column(IMAGES[:4]), "holds 4 images, not 5"),
        ("train_y.bin", bytes(5), r"label 0, but there are 10 classes \(1..10\)"),
        ("train_y.bin", bytes((1, 2, 3, 4, 11)), "label 11"),
        ("train_y.bin", b"\1", "1 labels for 5 images"),
    ],
)
def test_what_a_checksum_cannot_vouch_for_is_checked_by_its_layout(small, members, tmp_path, name, data, said) -> None:
    file = RemoteFile(name="x.tar.gz", contents=tuple(RemoteFile(name=c.name) for c in small.files[0].contents))
    (tmp_path / "stl10_binary").mkdir()
    for member, content in (members | {f"stl10_binary/{name}": data}).items():
        (tmp_path / member).write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        load(DataRequest(dataclasses.replace(small, files=(file,)), tmp_path, "train"))
    assert name in str(caught.value)
