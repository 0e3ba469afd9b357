"""A classifier of CIFAR-10: modes and class shares of samples, trained by `train_small_cnn` on the user's machine.

A residual network of nine layers and 6.6 million parameters (Page 2018, "How to train your ResNet", where 94 % of the
test images are right after 24 epochs with cutout). The record beside the weights says what they reach here.

A classifier that errs spreads samples over classes; so it is in eval mode, and sees the range that it learned from.
N: images, w: width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from harness import full_precision
from harness.builtin.extractors.states import fitting, state_dict
from harness.errors import EvaluationError

NAME = "cifar10-cnn"

#: channels, rows and columns of the images
SHAPE = (3, 32, 32)

#: logits are multiplied by this, so that they begin near equal chances (Page 2018)
LOGITS = 0.125


def convolution(before: int, after: int) -> nn.Sequential:
    """3 x 3, batch norm, rectifier."""
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class Residual(nn.Module):
    """x + f(x), f: two convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(width, width), convolution(width, width))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [N, w, H, W] to maps of the same shape."""
        changed: Tensor = maps + self.body(maps)
        return changed


class Cifar10Cnn(nn.Module):
    """Four convolutions, the last three followed by halving; residual blocks after the second and the fourth.

    :param width: channels of the first convolution; the last has eight times as many.
    """

    def __init__(self, width: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.first = convolution(3, width)
        self.second = convolution(width, 2 * width)
        self.second_residual = Residual(2 * width)
        self.third = convolution(2 * width, 4 * width)
        self.fourth = convolution(4 * width, 8 * width)
        self.fourth_residual = Residual(8 * width)
        self.to_logits = nn.Linear(8 * width, classes, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, 3, 32, 32] in [-1, 1] to features [N, 8w], not negative, and logits [N, classes]."""
        maps = self.second_residual(max_pool2d(self.second(self.first(images)), 2))  # [N, 2w, 16, 16]
        maps = max_pool2d(self.third(maps), 2)  # [N, 4w, 8, 8]
        maps = self.fourth_residual(max_pool2d(self.fourth(maps), 2))  # [N, 8w, 4, 4]
        features = max_pool2d(maps, 4).flatten(1)
        return features, LOGITS * self.to_logits(features)


def signed_range(images: Tensor) -> Tensor:
    """uint8 [N, C, H, W], or floats in [0, 255], as float in [-1, 1]."""
    return images.float() / 127.5 - 1.0


class Cifar10Extractor:
    """The network in eval mode, float32 without TF32."""

    outputs = ("features", "logits")
    resize = "native"
    batch = 128
    unrounded = True

    def __init__(self, network: Cifar10Cnn, device: torch.device) -> None:
        self.device = device
        self.network = network.to(device).eval().requires_grad_(False)

    def check(self, shape: tuple[int, ...]) -> None:
        if tuple(shape) != SHAPE:
            raise EvaluationError(
                f"extractor '{NAME}' takes {'x'.join(map(str, SHAPE))} images, not {'x'.join(map(str, shape))}",
                "name another: --set 'evaluation.extractors=[\"pixels\"]'",
            )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        self.check(tuple(images.shape[1:]))
        with full_precision(self.device):
            features, logits = self.network(signed_range(images.to(self.device)))
        return {"features": features, "logits": logits}


def load(weights: Path | None, device: torch.device) -> Cifar10Extractor:
    """The network with the weights in a file that `train_small_cnn` wrote; they say how wide it is."""
    with fitting(NAME, weights) as path:
        state = state_dict(path)
        network = Cifar10Cnn(width=len(state["first.0.weight"]))
        network.load_state_dict(state)
    return Cifar10Extractor(network, device)
