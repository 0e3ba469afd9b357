from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.builtin.datasets.folder import load
from harness.contracts.data import DataRequest, NoSplit
from harness.errors import DataError


@pytest.fixture
def read(spec_of, tmp_path):
    """Load a split of a path."""
    return lambda path, split="train": load(DataRequest(spec_of("folder"), tmp_path / "root", split, str(path)))


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def classes(image_bytes) -> dict[str, bytes]:
    """Two classes; the grey level of an image is its place."""
    return {"dog/1.png": image_bytes(2), "cat/1.png": image_bytes(0), "cat/2.png": image_bytes(1)}


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar", ".tar.gz", ".tar.xz"])
@pytest.mark.parametrize("wrapper", ["", "data/", "a/b/"])
def test_class_folders_become_labels_whatever_holds_them(read, classes, tar_of, tmp_path, suffix, wrapper) -> None:
    files = {wrapper + name: data for name, data in classes.items()}
    path = tmp_path / f"pets{suffix}"
    if suffix == "":
        fill(path, files)
    elif suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        tar_of(path, files)
    split = read(path)
    assert split.classes == ("cat", "dog")
    assert split.labels.tolist() == [0, 0, 1]
    assert split.values.shape == (3, 1, 4, 4)
    assert split.values[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert split.notes == {"formats": {"PNG": 3}}


def test_a_heap_of_images_has_no_classes(read, image_bytes, tmp_path) -> None:
    split = read(fill(tmp_path / "x", {f"{n}.png": image_bytes(n) for n in range(3)}))
    assert (split.classes, split.labels) == ((), None)
    assert split.values[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_a_lone_class_folder_is_a_class(read, image_bytes, tmp_path) -> None:
    assert read(fill(tmp_path / "x", {"cat/1.png": image_bytes()})).classes == ("cat",)


@pytest.mark.parametrize("test_folder", ["test", "val"])
def test_train_and_test_folders_are_splits(read, image_bytes, tmp_path, test_folder) -> None:
    files = {f"train/{c}/1.png": image_bytes(n) for n, c in enumerate("ab")}
    files |= {f"{test_folder}/{c}/1.png": image_bytes(10 + n) for n, c in enumerate("ab")}
    folder = fill(tmp_path / "x", files)
    assert read(folder).values[:, 0, 0, 0].tolist() == [0, 1]
    assert read(folder, "test").values[:, 0, 0, 0].tolist() == [10, 11]
    assert read(folder, "test").classes == ("a", "b")


def test_a_split_that_is_not_there_is_an_error(read, classes, tmp_path) -> None:
    folder = fill(tmp_path / "x", classes)
    with pytest.raises(NoSplit, match=r"x has no test split: it holds no folder test/ or val/"):
        read(folder, "test")


def test_relative_paths_are_also_looked_for_below_the_data_root(read, classes, tmp_path) -> None:
    fill(tmp_path / "root" / "pets", classes)
    assert len(read("pets")) == 3
    with pytest.raises(DataError, match=r"no folder or archive 'none', looked for at .*none and .*root/none"):
        read("none")


def test_colours_keep_their_channels(read, image_bytes, tmp_path) -> None:
    split = read(fill(tmp_path / "x", {"1.png": image_bytes((1, 2, 3), (5, 4), "RGB")}))
    assert split.values.shape == (1, 3, 4, 5)
    assert split.values[0, :, 0, 0].tolist() == [1, 2, 3]


def test_jpegs_are_noted_as_lossy(read, image_bytes, tmp_path) -> None:
    jpeg = image_bytes(7, file_format="JPEG")
    split = read(fill(tmp_path / "x", {"1.jpg": jpeg, "2.png": image_bytes(7), "readme.txt": b"x"}))
    assert split.notes["formats"] == {"JPEG": 1, "PNG": 1}
    assert split.notes["lossy"].startswith("JPEG: not comparable")
    assert split.notes["ignored_files"] == 1


def test_pixels_are_those_that_pillow_decodes(read, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    split = read(fill(tmp_path / "x", {"1.png": stream.getvalue()}))
    np.testing.assert_array_equal(split.values[0].transpose(1, 2, 0), pixels)


def bad_folders(image) -> dict[str, tuple[dict[str, bytes], str]]:
    whole = image(0, (64, 64))
    return {
        "sizes": ({"1.png": image(), "2.png": image(0, (5, 4))}, r"2\.png has 4x5 pixels, but .*1\.png has 4x4"),
        "modes": ({"1.png": image(), "2.png": image(0, mode="RGB")}, r"2\.png is RGB, but .*1\.png is grey"),
        "broken": ({"1.png": b"nothing"}, r"1\.png is no image, or it is truncated"),
        "truncated": ({"1.png": whole[: len(whole) // 2]}, r"1\.png is no image, or it is truncated"),
        "empty file": ({"1.png": b""}, r"1\.png is no image"),
        "clear": ({"1.png": image((1, 2, 3, 0), mode="RGBA")}, r"1\.png is partly transparent"),
        "deep": ({"1.tif": image(0, mode="I;16", file_format="TIFF")}, r"1\.tif has mode I;16; convert it"),
        "faint": ({"1.png": image((1, 2, 3, 254), mode="RGBA")}, r"1\.png is partly transparent"),
        "four inks": ({"1.jpg": image((0, 0, 0, 0), mode="CMYK", file_format="JPEG")}, r"1\.jpg has mode CMYK"),
        "nothing": ({}, "x holds no images; images end in"),
        "none": ({"readme.txt": b""}, "x holds no images; images end in"),
        "loose": ({"cat/1.png": image(), "2.png": image()}, r"2\.png lies beside class folders"),
        "beside": ({"train/1.png": image(), "more/2.png": image()}, r"more lies beside train/"),
        "loose split": ({"train/1.png": image(), "2.png": image()}, r"2\.png lies beside train/"),
        "empty split": ({"train/1.png": image(), "test/readme.txt": b""}, r"test/? holds no images"),
        "classes": (
            {"train/a/1.png": image(), "train/b/1.png": image(), "test/a/1.png": image()},
            "different classes: only one of them has 'b'",
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    "case",
    ["sizes", "modes", "broken", "truncated", "empty file", "clear", "faint", "deep", "four inks", "nothing", "none",
     "loose", "beside", "loose split", "empty split", "classes"],
)  # fmt: skip
def test_bad_folders_are_one_line_that_names_the_file(read, image_bytes, tmp_path, case) -> None:
    files, said = bad_folders(image_bytes)[case]
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match=said) as caught:
        read(fill(tmp_path / "x", files))
    assert "\n" not in str(caught.value)


def test_an_empty_class_folder_is_named(read, classes, tmp_path) -> None:
    folder = fill(tmp_path / "x", classes)
    (folder / "emu").mkdir()
    with pytest.raises(DataError, match=r"class folder .*emu holds no images"):
        read(folder)


def test_opaque_alpha_is_dropped_without_loss_and_noted(read, image_bytes, tmp_path) -> None:
    opaque = image_bytes((1, 2, 3, 255), mode="RGBA")
    split = read(fill(tmp_path / "x", {"1.png": opaque, "2.png": image_bytes((4, 5, 6), mode="RGB"), "3.png": opaque}))
    assert split.values[:, :, 0, 0].tolist() == [[1, 2, 3], [4, 5, 6], [1, 2, 3]]
    assert split.notes["alpha"] == "dropped from 2 images, all of it opaque"


def test_images_without_alpha_have_no_note_of_it(read, image_bytes, tmp_path) -> None:
    assert "alpha" not in read(fill(tmp_path / "x", {"1.png": image_bytes()})).notes


def test_one_image_is_a_data_set(read, image_bytes, tmp_path) -> None:
    assert read(fill(tmp_path / "x", {"1.png": image_bytes(7)})).values.shape == (1, 1, 4, 4)


def test_a_file_that_may_not_be_read_is_named(read, image_bytes, tmp_path, monkeypatch) -> None:
    folder = fill(tmp_path / "x", {"1.png": image_bytes()})

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"x cannot be read: .*Permission denied.*1\.png") as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_the_shared_jpegs_load(read, real_data) -> None:
    archive = real_data / "cifar10_jpeg.tar.xz"
    if not archive.is_file():
        pytest.skip("no cifar10_jpeg.tar.xz there")
    split = read(archive, "test")
    assert split.values.shape == (10_000, 3, 32, 32)
    assert np.bincount(split.labels).tolist() == [1000] * 10
    assert split.classes[0] == "airplane"
    assert "lossy" in split.notes
