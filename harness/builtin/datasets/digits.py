"""scikit-learn's handwritten digits: 1,797 images of 8x8 pixels, grey levels 0..16."""

from __future__ import annotations

import numpy as np

from harness.contracts import DataRequest, Split
from harness.randomness import keyed

#: scikit-learn gives no split; the first images of a permutation fixed by this name are the training split
SPLIT_KEY = "digits split"
TRAIN = 1437


def load(request: DataRequest) -> Split:
    """The training or the test split."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = keyed(SPLIT_KEY).permutation(len(data.images))
    kept = order[:TRAIN] if request.split == "train" else order[TRAIN:]
    values = as_uint8(data.images[kept])[:, None]  # [N, 1, 8, 8]
    notes = {"rounding": "grey levels 0..16 stored as round(v * 255 / 16)", "order": f"permutation '{SPLIT_KEY}'"}
    return Split(values, data.target[kept].astype(np.int64), request.spec.classes or (), notes)


def as_uint8(levels: np.ndarray) -> np.ndarray:
    """Grey levels 0..16 as uint8 0..255: 0 stays 0, 16 becomes 255, and no two levels meet (they are 15.9 apart)."""
    return np.rint(levels * (255 / 16)).astype(np.uint8)
