"""What is done to images to make them worse, or to their labels: pure functions, fixed by a seed."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np

from harness.contracts.data import Split
from harness.randomness import keyed

#: standard deviation of the noise, in grey levels of 255
SPREAD = 60.0

#: quality of the JPEG files, of 100
QUALITY = 5

#: classes that are left when modes are dropped
KEPT_CLASSES = 3


def noisy(images: np.ndarray, std: float = SPREAD) -> np.ndarray:
    """uint8 [N, C, H, W] with independent Gaussian noise on every pixel, rounded and clamped to 0..255."""
    noise = keyed("doctor", "noise").normal(0.0, std, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def blurred(images: np.ndarray) -> np.ndarray:
    """uint8 [N, C, H, W], each pixel the mean of its 3x3 neighbourhood (edges repeat)."""
    height, width = images.shape[2:]
    padded = np.pad(images.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    shifted = [padded[:, :, down : down + height, right : right + width] for down in range(3) for right in range(3)]
    found: np.ndarray = np.rint(np.mean(shifted, axis=0)).astype(np.uint8)
    return found


def compressed(images: np.ndarray, quality: int = QUALITY) -> np.ndarray:
    """uint8 [N, C, H, W] (C 1 or 3) after a trip through a JPEG file."""
    from PIL import Image

    result = np.empty_like(images)
    for number, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
        decoded = np.asarray(Image.open(file))
        result[number] = decoded[None] if len(image) == 1 else decoded.transpose(2, 0, 1)
    return result


def fewer_modes(split: Split, classes: int = KEPT_CLASSES) -> Split:
    """As many items as before, but of the first few classes only: they are repeated in their order."""
    assert split.labels is not None
    kept = np.flatnonzero(split.labels < classes)
    return split.subset(np.resize(kept, len(split)))


def shuffled_labels(split: Split) -> Split:
    """The same items, with their labels dealt out anew."""
    assert split.labels is not None
    order = keyed("doctor", "labels").permutation(len(split))
    return replace(split, labels=split.labels[order])
