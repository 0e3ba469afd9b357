from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.builtin.datasets.npz import load
from harness.cli import main
from harness.contracts.data import DataRequest, Split
from harness.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)  # [N, H, W, C]

Read = Callable[..., Split]


@pytest.fixture
def read(spec_of, tmp_path) -> Read:
    """Write arrays to a file and load it."""

    def make(save=np.savez, **arrays: object) -> Split:
        save(tmp_path / "x.npz", **arrays)
        return of(tmp_path / "x.npz")

    def of(path: Path) -> Split:
        return load(DataRequest(spec_of("npz"), tmp_path / "root", "train", str(path)))

    make.of = of  # type: ignore[attr-defined]
    return make


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_read_with_channels_first(read, save, channels) -> None:
    split = read(save, arr_0=PIXELS[..., :channels])
    assert split.values.shape == (6, channels, 5, 4)
    np.testing.assert_array_equal(split.values.transpose(0, 2, 3, 1), PIXELS[..., :channels])
    assert (split.labels, split.classes, split.notes) == (None, (), {})
    assert split.values.flags.c_contiguous
    assert split.values.flags.writeable


@pytest.mark.parametrize("name", ["arr_1", "labels"])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_class_numbers_are_classes(read, name, dtype) -> None:
    split = read(arr_0=PIXELS, **{name: np.array([0, 4, 1, 1, 0, 2], dtype=dtype)})
    assert split.labels.tolist() == [0, 4, 1, 1, 0, 2]
    assert split.classes == ("0", "1", "2", "3", "4")


def test_other_arrays_are_left_alone_and_noted(read) -> None:
    assert read(arr_0=PIXELS, mu=np.zeros(3), sigma=np.eye(3)).notes == {"ignored_arrays": "mu, sigma"}


def test_a_relative_path_is_also_looked_for_below_the_data_root(read, tmp_path) -> None:
    (tmp_path / "root").mkdir()
    np.savez(tmp_path / "root" / "mine.npz", arr_0=PIXELS)
    assert len(read.of(Path("mine.npz"))) == 6
    with pytest.raises(DataError, match=r"there is no file 'none\.npz', looked for at .*root/none\.npz"):
        read.of(Path("none.npz"))


FLOATS = PIXELS / 127.5 - 1.0
NAN = np.where(PIXELS > 250, np.nan, FLOATS)

BAD: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "keys": ({"images": PIXELS, "y": np.zeros(6)}, r"holds 'images', 'y', but no 'arr_0'; store the images as 'arr_0'"),
    "floats": ({"arr_0": FLOATS}, r"holds float64, but images are uint8; save numpy\.rint\(\(x \+ 1\) \* 127\.5\)"),
    "nan": ({"arr_0": NAN}, r"holds float64, but images are uint8; it has NaN or infinite values"),
    "ints": ({"arr_0": PIXELS.astype(np.int64)}, r"holds int64, but images are uint8; save grey levels 0 to 255"),
    "no channels": (
        {"arr_0": PIXELS[..., 0]},
        r"shape \(6, 5, 4\), .*1 or 3 channels; save grey images as x\[\.\.\., None\]",
    ),
    "channels first": (
        {"arr_0": PIXELS.transpose(0, 3, 1, 2)},
        r"shape \(6, 3, 5, 4\), .*; channels go last: x\.transpose",
    ),
    "alpha": (
        {"arr_0": np.zeros((2, 5, 5, 4), np.uint8)},
        r"shape \(2, 5, 5, 4\), but images are \[N, H, W, C\] with 1 or 3",
    ),
    "none": ({"arr_0": PIXELS[:0]}, r"shape \(0, 5, 4, 3\): it holds no images"),
    "no pixels": ({"arr_0": PIXELS[:, :0]}, r"it holds no images"),
    "too few labels": (
        {"arr_0": PIXELS, "arr_1": np.zeros(5, int)},
        r"'arr_1' in .* has shape \(5,\), but there are 6 images",
    ),
    "two labels each": (
        {"arr_0": PIXELS, "arr_1": np.zeros((6, 2), int)},
        r"has shape \(6, 2\), but there are 6 images",
    ),
    "float labels": (
        {"arr_0": PIXELS, "arr_1": np.zeros(6)},
        r"'arr_1' in .* holds float64, but labels are whole numbers",
    ),
    "negative labels": (
        {"arr_0": PIXELS, "arr_1": np.array([0, 1, -1, 0, 0, 0])},
        r"holds label -1; class numbers go from 0",
    ),
    "huge labels": (
        {"arr_0": PIXELS, "arr_1": np.full(6, 10**9)},
        r"holds label 1000000000; class numbers go from 0 to at",
    ),
    "labels twice": ({"arr_0": PIXELS, "arr_1": np.zeros(6, int), "labels": np.zeros(6, int)}, r"holds labels twice"),
    "objects": ({"arr_0": np.array([{}, {}], dtype=object)}, r"holds what is no plain array: Object arrays"),
    "text": ({"arr_0": np.array(["a", "b"])}, r"holds <U1, but images are uint8"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_one_line_that_names_the_file_and_the_remedy(read, case) -> None:
    arrays, said = BAD[case]
    with pytest.raises(DataError, match=said) as caught:
        read(**arrays)
    assert "x.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_files_name_themselves(read, tmp_path, share) -> None:
    np.savez_compressed(tmp_path / "x.npz", arr_0=PIXELS)
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"x\.npz is no npz file, or it is truncated or corrupt"):
        read.of(tmp_path / "x.npz")


def test_damaged_bytes_are_found(read, tmp_path) -> None:
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", arr_0=PIXELS)
        damaged = bytearray((tmp_path / "x.npz").read_bytes())
        damaged[250:260] = bytes(255 - byte for byte in damaged[250:260])
        (tmp_path / "x.npz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"x\.npz is truncated or corrupt"):
            read.of(tmp_path / "x.npz")


def test_a_header_that_announces_too_much_is_found(read, tmp_path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1000, 1000, 3), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("arr_0.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataError, match=r"x\.npz is truncated or corrupt"):
        read.of(tmp_path / "x.npz")


def test_members_that_are_no_arrays_are_refused(read, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("arr_0.npy", b"something else")
    with pytest.raises(DataError, match=r"'arr_0' in .*x\.npz is no numpy array"):
        read.of(tmp_path / "x.npz")


def test_other_files_are_refused(read, tmp_path, evil_pickle) -> None:
    np.save(tmp_path / "x.npy", PIXELS)
    (tmp_path / "x.pkl").write_bytes(evil_pickle)
    for name in ("x.npy", "x.pkl"):
        with pytest.raises(DataError, match=rf"{name} is no npz file"):
            read.of(tmp_path / name)
    assert not Path("evil.txt").exists()
    with pytest.raises(DataError, match="is a folder, not an npz file; name it folder:"):
        read.of(tmp_path)


def test_images_are_read_once(read, monkeypatch) -> None:
    accessed: list[str] = []
    original = np.lib.npyio.NpzFile.__getitem__

    def counted(self: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
        accessed.append(name)
        return original(self, name)

    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", counted)
    read(arr_0=PIXELS, arr_1=np.zeros(6, int))
    assert accessed == ["arr_0", "arr_1"]


def test_verifying_is_loading(tmp_path, capsys) -> None:
    np.savez(tmp_path / "x.npz", arr_0=PIXELS)
    assert main(["data", "verify", f"npz:{tmp_path}/x.npz"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("train    6        sha256")
    np.savez(tmp_path / "x.npz", arr_0=FLOATS)
    assert main(["data", "verify", f"npz:{tmp_path}/x.npz"]) == 2
    assert capsys.readouterr().err.startswith("error: 'arr_0' in ")


# -- attributes ------------------------------------------------------------------------------------

FLAGS = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 0], [1, 1]], dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
def test_attributes_are_read_with_their_names(read, dtype) -> None:
    split = read(arr_0=PIXELS, labels=np.arange(6), attributes=FLAGS.astype(dtype), attribute_names=["hat", "beard"])
    assert (split.attributes.dtype, split.attributes.tolist()) == (np.uint8, FLAGS.tolist())
    assert split.attribute_names == ("hat", "beard")
    assert (len(split.classes), split.notes) == (6, {})


def test_attributes_without_names_are_numbered_and_need_no_labels(read) -> None:
    split = read(arr_0=PIXELS, attributes=FLAGS)
    assert (split.attribute_names, split.labels) == (("0", "1"), None)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"attributes": FLAGS.astype(np.int64)}, "holds int64, but attributes are uint8 or bool"),
        ({"attributes": FLAGS[:5]}, r"has shape \(5, 2\), but there are 6 images"),
        ({"attributes": FLAGS[:, 0]}, r"has shape \(6,\)"),
        ({"attributes": FLAGS[:, :0]}, r"has shape \(6, 0\)"),
        ({"attributes": FLAGS * 3}, "holds 3; an attribute is 0 or 1"),
        ({"attributes": FLAGS, "attribute_names": ["hat"]}, "there are 2 attributes to name"),
        ({"attributes": FLAGS, "attribute_names": [1, 2]}, "there are 2 attributes to name by text"),
        ({"attributes": FLAGS, "attribute_names": ["hat", "hat"]}, "names two attributes alike"),
        ({"attribute_names": ["hat"]}, "but no 'attributes'"),
    ],
)
def test_attributes_that_cannot_be_are_refused_in_one_line(read, arrays, said) -> None:
    with pytest.raises(DataError, match=said):
        read(arr_0=PIXELS, **arrays)
