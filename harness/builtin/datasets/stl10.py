"""STL-10 in its binary form: bytes of pixels column by column, and labels from 1."""

from __future__ import annotations

import numpy as np

from harness.contracts import DataRequest, Split
from harness.data import Verified, read
from harness.errors import DataError

FOLDER = "stl10_binary"


def load(request: DataRequest) -> Split:
    """A split; the unlabelled one has no labels and no classes."""
    images_name, labels_name = f"{FOLDER}/{request.split}_X.bin", f"{FOLDER}/{request.split}_y.bin"
    labelled = request.split != "unlabeled"
    files = read(request.spec, (images_name, labels_name) if labelled else (images_name,), request.root)
    images = parse_images(files[images_name], images_name, request.spec.shape or (3, 96, 96))
    expected = request.spec.splits[request.split]
    if expected is not None and len(images) != expected:
        raise DataError(f"{files[images_name].path} ({images_name}) holds {len(images)} images, not {expected}")
    if not labelled:
        return Split(images, None, ())
    classes = request.spec.classes or ()
    return Split(images, parse_labels(files[labels_name], labels_name, len(images), len(classes)), classes)


def parse_images(file: Verified, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """uint8 [N, C, H, W] from planes that are stored column by column."""
    channels, height, width = shape
    if len(file.data) == 0 or len(file.data) % (channels * height * width):
        raise DataError(
            f"{file.path} ({name}) is truncated: {len(file.data)} bytes are no whole number of images of "
            f"{channels * height * width} bytes"
        )
    columns = np.frombuffer(file.data, dtype=np.uint8).reshape(-1, channels, width, height)
    return np.ascontiguousarray(columns.transpose(0, 1, 3, 2))  # [N, C, H, W]


def parse_labels(file: Verified, name: str, images: int, classes: int) -> np.ndarray:
    """int64 [N], from 0."""
    labels = np.frombuffer(file.data, dtype=np.uint8).astype(np.int64)
    if len(labels) != images:
        raise DataError(f"{file.path} ({name}) holds {len(labels)} labels for {images} images")
    if len(labels) and not (labels.min() >= 1 and labels.max() <= classes):
        wrong = labels.max() if labels.max() > classes else labels.min()
        raise DataError(f"{file.path} ({name}) holds label {wrong}, but there are {classes} classes (1..{classes})")
    return labels - 1
