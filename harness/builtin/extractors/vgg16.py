"""VGG16, the network that precision and recall were introduced with, by torch-fidelity.

Features are the 4096 of the second fully connected layer after its rectifier (Kynkäänniemi et al. 2019). The resizing
to 224 pixels is TensorFlow 1's, and happens inside the network. N: images.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.fidelity import forward_of
from harness.builtin.extractors.states import fitting, resaved, state_dict

NAME = "vgg16"


def load(weights: Path | None, device: torch.device) -> ColourExtractor:
    """The network with the weights in torchvision's file."""
    from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

    with fitting(NAME, weights) as path:
        network = FeatureExtractorVGG16("vgg16", ["fc2_relu"], resaved(state_dict(path))).to(device)

    forward = forward_of(network)

    def look(images: Tensor) -> Mapping[str, Tensor]:
        return {"features": forward(images)[0]}

    return ColourExtractor(NAME, look, outputs=("features",), resize="bilinear-tf1", device=device)
