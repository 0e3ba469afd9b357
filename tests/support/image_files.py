"""Images as files, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_images(
    folder: Path, values: np.ndarray, labels: np.ndarray | None = None, names: tuple[str, ...] = ()
) -> Path:
    """Images uint8 [N, C, H, W] as PNG files, in class folders where there are labels.

    :param names: of the classes; their numbers where none are given.
    """
    for number, image in enumerate(values):
        label = "" if labels is None else names[labels[number]] if names else str(labels[number])
        path = folder / label / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(path)
    return folder
