"""Inception-v3 as TensorFlow had it in 2015, the network of FID and IS, by torch-fidelity.

Features are the 2048 of the last pooling (Heusel et al. 2017); logits are those of all 1008 outputs without the bias,
as the Inception score has always been computed (Salimans et al. 2016). The resizing to 299 pixels is TensorFlow 1's,
bilinear and without half-pixel centres, and happens inside the network. N: images.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.fidelity import forward_of
from harness.builtin.extractors.states import fitting, resaved, state_dict

NAME = "inception-tf"


def load(weights: Path | None, device: torch.device) -> ColourExtractor:
    """The network with the weights in torch-fidelity's file."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    outputs = {"features": "2048", "logits": "logits_unbiased"}
    with fitting(NAME, weights) as path:
        file = resaved(state_dict(path))
        network = FeatureExtractorInceptionV3("inception-v3-compat", list(outputs.values()), file).to(device)

    forward = forward_of(network)

    def look(images: Tensor) -> Mapping[str, Tensor]:
        return dict(zip(outputs, forward(images), strict=True))

    return ColourExtractor(NAME, look, outputs=tuple(outputs), resize="bilinear-tf1", device=device)
