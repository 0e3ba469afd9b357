"""Stacked MNIST: three digits, one a colour channel, so that there are 1,000 modes that a classifier can count.

Each item is three independent uniform draws, with replacement, from MNIST's digits of the same split; digits a, b, c
give the label 100 a + 10 b + c. The draw is fixed, so that every run sees the same items. They keep their 28 pixels and
are padded to a backbone's size; stretching digits to 32 pixels by bilinear interpolation, as is also done, gives other
images.
"""

from __future__ import annotations

import numpy as np

from harness.builtin.datasets import idx
from harness.builtin.datasets.registry import SPECS
from harness.contracts import DataRequest, Split
from harness.randomness import keyed

#: whose files these digits are: the names and checksums are its own
MNIST = next(spec for spec in SPECS if spec.name == "mnist")

#: fixes the draw, together with the name of the split
DRAW_KEY = "stacked mnist"


def load(request: DataRequest) -> Split:
    """A split: as many stacks as the spec says, of MNIST's digits found where the data set `mnist` keeps them."""
    digits = idx.load(DataRequest(MNIST, request.root, request.split))
    count = request.spec.splits[request.split]
    assert count is not None
    assert digits.labels is not None
    values, labels = stacked(digits.values, digits.labels, drawn(len(digits), count, request.split))
    notes = {
        "digits": f"of mnist's {request.split} split, sha256 {digits.checksum}",
        "draw": f"three independent uniform draws with replacement an item, fixed by '{DRAW_KEY}'",
    }
    return Split(values, labels, request.spec.classes or (), notes)


def drawn(digits: int, count: int, split: str) -> np.ndarray:
    """Which digit each channel of each item is: int64 [count, 3], uniform below `digits`."""
    return keyed(DRAW_KEY, split).integers(digits, size=(count, 3))


def stacked(images: np.ndarray, labels: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Digits uint8 [M, 1, H, W] with labels int64 [M] to stacks uint8 [N, 3, H, W] with labels 0..999, int64 [N].

    :param which: the digit of each channel, int64 [N, 3]; the first counts hundreds.
    """
    return images[which, 0], labels[which] @ np.array([100, 10, 1])
