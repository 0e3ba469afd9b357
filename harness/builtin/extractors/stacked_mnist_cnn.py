"""Stacked MNIST (Metz et al. 2017): the packaged classifier of MNIST on each of three channels.

An image holds three digits, one a channel, and its class is the number that they spell: 100 a + 10 b + c, where a is
the digit in the first channel. Features are the 64 of each channel side by side; logits are joint log-probabilities of
the 1000 classes, log p(a) + log p(b) + log p(c), the digits being judged one by one and p being sharpened. N: images.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.builtin.extractors.small_cnn import SmallCnnExtractor, load_mnist_cnn
from harness.errors import EvaluationError

NAME = "stacked-mnist-cnn"

#: the classifier learned from smoothed labels and is never sure, three times over: with its logits times this, what it
#: says of stacked test images has the highest likelihood (0.016 nats an image instead of 0.071)
SHARPENED = 2.0


class StackedExtractor:
    """A classifier of grey digits, shown the channels one by one."""

    outputs = ("features", "logits")
    resize = "native"
    batch = 128
    unrounded = True

    def __init__(self, single: SmallCnnExtractor) -> None:
        self.single = single

    def check(self, shape: tuple[int, ...]) -> None:
        taken = " or ".join(f"3x{side}x{side}" for side in self.single.sizes)
        if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or shape[1] not in self.single.sizes:
            raise EvaluationError(f"extractor '{NAME}' takes {taken} images, not {'x'.join(map(str, shape))}")

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        self.check(tuple(images.shape[1:]))
        seen = self.single(images.flatten(0, 1).unsqueeze(1))  # [3N, 1, H, W], channels of an image together
        digits = (SHARPENED * seen["logits"]).log_softmax(1).unflatten(0, (-1, 3))  # [N, 3, 10]
        return {"features": seen["features"].unflatten(0, (-1, 3)).flatten(1), "logits": joint(digits)}


def joint(digits: Tensor) -> Tensor:
    """Log-probabilities [N, 3, K] of each digit to those of all triples, [N, K^3], the last digit running fastest."""
    first, second, third = digits.unbind(1)
    return (first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]).flatten(1)


def load(weights: Path | None, device: torch.device) -> StackedExtractor:
    """The classifier with the weights of `mnist-cnn`."""
    return StackedExtractor(load_mnist_cnn(weights, device))
