"""A small classifier of grey digits, used as a feature network; trained once by `train_small_cnn`.

B: images, H: pixels a side as the network sees them (8 or 32).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from harness import full_precision
from harness.errors import EvaluationError

#: size of the penultimate feature: small, so that a thousand samples give a covariance of full rank
FEATURES = 64


class SmallCnn(nn.Module):
    """Four convolutions, a linear map to the feature, and a linear map of its rectified values to the logits.

    The feature is taken before the rectifier, so that no feature is dead.

    :param side: pixels a side: 8 (halved once) or 32 (halved three times).
    """

    def __init__(self, side: int, classes: int = 10) -> None:
        super().__init__()
        strides = {8: (1, 1, 2, 1), 32: (1, 2, 2, 2)}[side]
        widths = (1, 16, 32, 64, 64)
        layers: list[nn.Module] = []
        for (before, after), stride in zip(pairwise(widths), strides, strict=True):
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Flatten())  # [B, 64 * 4 * 4]
        self.to_feature = nn.Linear(64 * 4 * 4, FEATURES)
        self.to_logits = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 1, H, H] in [0, 1] to the feature [B, 64] and logits [B, classes]."""
        feature = self.to_feature(self.body(images))
        return feature, self.to_logits(torch.relu(feature))


class SmallCnnExtractor:
    """The network in eval mode, float32 without TF32.

    :param sizes: pixels a side that it takes, each with the zeros that are put around the image.
    """

    outputs = ("features", "logits")
    resize = "native"
    batch = 128
    unrounded = True

    def __init__(self, name: str, network: SmallCnn, sizes: Mapping[int, int], device: torch.device) -> None:
        self.name = name
        self.sizes = dict(sizes)
        self.device = device
        self.network = network.to(device).eval().requires_grad_(False)

    def check(self, shape: tuple[int, ...]) -> None:
        taken = " or ".join(f"1x{side}x{side}" for side in self.sizes)
        if len(shape) != 3 or shape[0] != 1 or shape[1] != shape[2] or shape[1] not in self.sizes:
            raise EvaluationError(
                f"extractor '{self.name}' takes {taken} images, not {'x'.join(map(str, shape))}",
                "name another: --set 'evaluation.extractors=[\"pixels\"]'",
            )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        self.check(tuple(images.shape[1:]))
        around = self.sizes[images.shape[-1]]
        with full_precision(self.device):
            feature, logits = self.network(unit_range(images.to(self.device), around))
        return {"features": feature, "logits": logits}


def unit_range(images: Tensor, around: int) -> Tensor:
    """Images [B, C, H, W] in [0, 255] as float in [0, 1], `around` zeros on each side, in plain memory order."""
    count, channels, height, width = images.shape
    padded = torch.zeros(count, channels, height + 2 * around, width + 2 * around, device=images.device)
    padded[..., around : around + height, around : around + width] = images.float() / 255.0
    return padded


#: by extractor: pixels a side of the network, and the sizes it takes with their padding
INPUTS: Mapping[str, tuple[int, Mapping[int, int]]] = {
    "digits-cnn": (8, {8: 0}),
    "mnist-cnn": (32, {28: 2, 32: 0}),
}


def load(name: str, weights: Path | None, device: torch.device) -> SmallCnnExtractor:
    """The extractor called `name` with the weights in a file that :func:`torch.save` wrote from a state dict."""
    if weights is None:
        raise EvaluationError(f"extractor '{name}' needs a file of weights")
    side, sizes = INPUTS[name]
    network = SmallCnn(side)
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (RuntimeError, TypeError, AttributeError, pickle.UnpicklingError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise EvaluationError(f"weights of extractor '{name}' at {weights} do not fit: {reason}") from error
    return SmallCnnExtractor(name, network, sizes, device)


load_digits_cnn = partial(load, "digits-cnn")
load_mnist_cnn = partial(load, "mnist-cnn")
