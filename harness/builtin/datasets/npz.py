"""``npz:FILE``: images in one file of numpy arrays, as Dhariwal and Nichol (2021) and many others store samples.

`arr_0` holds the images, uint8 [N, H, W, C] with C = 1 or 3; `arr_1`, or `labels` as ``harness sample`` writes them,
may hold class numbers, whole numbers [N] from 0. `attributes` may say what each image has and has not, 0 or 1 [N, A] as
uint8 or bool, and `attribute_names`, text [A], what they are called (0 to A - 1 without). Other arrays (the statistics
of a reference batch) are left alone.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.builtin.datasets.folder import located
from harness.contracts import DataRequest, Split
from harness.errors import DataError

IMAGES = "arr_0"

#: where labels may lie
LABELS = ("arr_1", "labels")

#: where attributes and their names may lie
ATTRIBUTES, ATTRIBUTE_NAMES = "attributes", "attribute_names"

#: class numbers are below this; what is larger is no class
MOST_CLASSES = 100_000

#: what zipfile and numpy raise for files that are broken (RuntimeError: an encrypted or strangely compressed member;
#: MemoryError: a header that announces more than there is)
BROKEN = (OSError, ValueError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def load(request: DataRequest) -> Split:
    """The training split: all images of the file at the request's argument, as typed or below the data root."""
    path = located(request.argument or "", request.root, "file")
    with _readable(path), _opened(path) as arrays:
        labels_name = _labels_name(path, arrays.files)
        # each access reads the array anew, so there is one access
        stored = _array(path, arrays, IMAGES)
        numbers = None if labels_name is None else _array(path, arrays, labels_name)
        flags = _array(path, arrays, ATTRIBUTES) if ATTRIBUTES in arrays.files else None
        called = _array(path, arrays, ATTRIBUTE_NAMES) if ATTRIBUTE_NAMES in arrays.files else None
    images = _images(path, stored)
    others = sorted(set(arrays.files) - {IMAGES, labels_name, ATTRIBUTES, ATTRIBUTE_NAMES})
    notes = {"ignored_arrays": ", ".join(others)} if others else {}
    attributes = None if flags is None else _attributes(path, flags, len(images))
    names = _attribute_names(path, called, attributes)
    if numbers is None:
        return Split(images, None, (), notes, attributes, names)
    labels = _labels(path, labels_name or "", numbers, len(images))
    return Split(images, labels, tuple(map(str, range(int(labels.max()) + 1))), notes, attributes, names)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Errors of reading, as one line that names the file."""
    try:
        yield
    except BROKEN as error:
        raise DataError(f"{path} is truncated or corrupt, or holds what is no plain array: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    if path.is_dir():
        raise DataError(f"{path} is a folder, not an npz file", f"name it folder:{path}")
    if not zipfile.is_zipfile(path):  # numpy would take it for a pickle, or read a single array
        raise DataError(f"{path} is no npz file, or it is truncated or corrupt")
    with np.load(path, allow_pickle=False) as arrays:
        yield arrays


def _labels_name(path: Path, names: list[str]) -> str | None:
    """Which array holds the labels, if any."""
    if IMAGES not in names:
        raise DataError(
            f"{path} holds {', '.join(map(repr, sorted(names))) or 'nothing'}, but no '{IMAGES}'",
            f"store the images as '{IMAGES}', uint8 [N, H, W, C]",
        )
    found = [name for name in LABELS if name in names]
    if len(found) > 1:
        raise DataError(f"{path} holds labels twice, as '{found[0]}' and as '{found[1]}'", "keep one of them")
    return found[0] if found else None


def _array(path: Path, arrays: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    array = arrays[name]
    if not isinstance(array, np.ndarray):  # numpy hands on members that are no arrays as raw bytes
        raise DataError(f"'{name}' in {path} is no numpy array")
    return array


def _images(path: Path, stored: np.ndarray) -> np.ndarray:
    """uint8 [N, C, H, W] from [N, H, W, C]."""
    what = f"'{IMAGES}' in {path}"
    if stored.dtype != np.uint8:
        raise DataError(f"{what} holds {stored.dtype}, but images are uint8", _as_uint8(stored))
    if stored.ndim != 4 or stored.shape[3] not in (1, 3):
        raise DataError(
            f"{what} has shape {stored.shape}, but images are [N, H, W, C] with 1 or 3 channels", _as_nhwc(stored)
        )
    if stored.size == 0:
        raise DataError(f"{what} has shape {stored.shape}: it holds no images")
    return np.ascontiguousarray(stored.transpose(0, 3, 1, 2))


def _as_uint8(stored: np.ndarray) -> str:
    """How to store images of another type."""
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        return "it has NaN or infinite values, so mend what made them first"
    how = {
        "f": "numpy.rint((x + 1) * 127.5).clip(0, 255).astype('uint8') for values in [-1, 1]",
        "b": "x.astype('uint8') * 255",
    }
    return f"save {how.get(stored.dtype.kind, 'grey levels 0 to 255 as uint8')}"


def _as_nhwc(stored: np.ndarray) -> str:
    """How to bring the axes into order, where that can be told."""
    if stored.ndim == 3:
        return "save grey images as x[..., None]"
    if stored.ndim == 4 and stored.shape[1] in (1, 3):
        return "channels go last: x.transpose(0, 2, 3, 1)"
    return "save them in that order of axes"


def _labels(path: Path, name: str, numbers: np.ndarray, images: int) -> np.ndarray:
    """int64 [N], from 0."""
    what = f"'{name}' in {path}"
    if numbers.dtype.kind not in "iu":
        raise DataError(f"{what} holds {numbers.dtype}, but labels are whole numbers", "save class numbers from 0")
    if numbers.shape != (images,):
        raise DataError(f"{what} has shape {numbers.shape}, but there are {images} images to label")
    least, most = int(numbers.min()), int(numbers.max())
    if least < 0 or most >= MOST_CLASSES:
        wrong = least if least < 0 else most
        raise DataError(f"{what} holds label {wrong}", f"class numbers go from 0 to at most {MOST_CLASSES - 1}")
    return numbers.astype(np.int64)


def _attributes(path: Path, flags: np.ndarray, images: int) -> np.ndarray:
    """uint8 [N, A] of 0 and 1."""
    what = f"'{ATTRIBUTES}' in {path}"
    if flags.dtype not in (np.uint8, np.bool_):
        raise DataError(f"{what} holds {flags.dtype}, but attributes are uint8 or bool", "save 0 and 1 as uint8")
    if flags.ndim != 2 or len(flags) != images or flags.shape[1] == 0:
        raise DataError(f"{what} has shape {flags.shape}, but there are {images} images to describe: save [N, A]")
    if int(flags.max()) > 1:
        raise DataError(f"{what} holds {int(flags.max())}", "an attribute is 0 or 1")
    return np.ascontiguousarray(flags).astype(np.uint8)


def _attribute_names(path: Path, names: np.ndarray | None, attributes: np.ndarray | None) -> tuple[str, ...]:
    """A name for each column."""
    if attributes is None:
        if names is not None:
            raise DataError(f"{path} holds '{ATTRIBUTE_NAMES}', but no '{ATTRIBUTES}'", "add them, or leave it out")
        return ()
    count = attributes.shape[1]
    if names is None:
        return tuple(map(str, range(count)))
    what = f"'{ATTRIBUTE_NAMES}' in {path}"
    if names.dtype.kind != "U" or names.shape != (count,):
        raise DataError(f"{what} is {names.dtype} {names.shape}, but there are {count} attributes to name by text [A]")
    called = tuple(map(str, names))
    if len(set(called)) < count:
        raise DataError(f"{what} names two attributes alike")
    return called
