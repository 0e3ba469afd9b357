"""IDX files, the layout of MNIST and its kin: a big-endian header, then unsigned bytes."""

from __future__ import annotations

import struct

import numpy as np

from harness.contracts import DataRequest, Split
from harness.data import Verified, read
from harness.errors import DataError

PREFIX = {"train": "train", "test": "t10k"}
UBYTE = 0x08


def load(request: DataRequest) -> Split:
    """A split of an MNIST-like data set, from .gz files or unpacked ones."""
    prefix = PREFIX[request.split]
    image_name, label_name = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    files = read(request.spec, (image_name, label_name), request.root)
    images, labels = parse(files[image_name], 3), parse(files[label_name], 1)
    _check(request, files[image_name], images, files[label_name], labels)
    return Split(images[:, None], labels.astype(np.int64), request.spec.classes or ())


def parse(file: Verified, dimensions: int) -> np.ndarray:
    """The array of uint8 in an IDX file.

    :raises DataError: where the header is another or the length does not agree with it.
    """
    header = 4 + 4 * dimensions
    magic = bytes((0, 0, UBYTE, dimensions))
    if file.data[:4] != magic:
        raise DataError(f"{file.path} is no IDX file of {dimensions} dimensions: it starts with {_hex(file.data[:4])}")
    if len(file.data) < header:
        raise DataError(f"{file.path} is truncated: its header ends early")
    shape = struct.unpack(f">{dimensions}I", file.data[4:header])
    wanted = header + int(np.prod(shape, dtype=np.int64))
    if len(file.data) != wanted:
        raise DataError(
            f"{file.path} is truncated or corrupt: {len(file.data)} bytes, but its header announces {wanted}"
        )
    # a copy: torch wants memory that it could write to
    return np.frombuffer(file.data, dtype=np.uint8, offset=header).reshape(shape).copy()


def _check(request: DataRequest, image: Verified, images: np.ndarray, label: Verified, labels: np.ndarray) -> None:
    """Counts, sizes and labels are those of the data set."""
    _, *size = request.spec.shape or (1, *images.shape[1:])
    expected = request.spec.splits[request.split]
    if expected is not None and len(images) != expected:
        raise DataError(f"{image.path} holds {len(images)} images, but split '{request.split}' has {expected}")
    if list(images.shape[1:]) != list(size):
        raise DataError(f"{image.path} holds images of {_by(images.shape[1:])} pixels, not {_by(size)}")
    if len(labels) != len(images):
        raise DataError(f"{label.path} holds {len(labels)} labels for {len(images)} images")
    classes = len(request.spec.classes or ())
    if len(labels) and labels.max() >= classes:
        raise DataError(f"{label.path} holds label {labels.max()}, but there are {classes} classes (0..{classes - 1})")


def _hex(data: bytes) -> str:
    return data.hex(" ") or "nothing"


def _by(sides: tuple[int, ...] | list[int]) -> str:
    return "x".join(map(str, sides))
