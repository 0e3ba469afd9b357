"""DINOv2 ViT-L/14 (Oquab et al. 2023), the network that Stein et al. (2023) recommend for generated images, by timm.

Features are the 1024 of the normalised class token. Images are resized to 224 pixels by PIL and normalised with
ImageNet's mean and deviation, as in the code of Stein et al. The published weights were trained on 37 x 37 patches;
their position embeddings are brought to 16 x 16 as the authors' code does it, which timm's does not. N: images.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from math import isqrt
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from harness.builtin.extractors.colour import ColourExtractor
from harness.builtin.extractors.resizing import pil_bicubic_uint8
from harness.builtin.extractors.states import fitting, state_dict

NAME, ARCHITECTURE = "dinov2", "vit_large_patch14_dinov2"

#: pixels a side as the network sees them, and patches a side
SIDE, PATCHES = 224, 16

#: of red, green and blue in [0, 1]
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load(weights: Path | None, device: torch.device, architecture: str = ARCHITECTURE) -> ColourExtractor:
    """The network with the weights in the authors' file.

    :param architecture: timm's name of it.
    """
    timm, vision_transformer = import_module("timm"), import_module("timm.models.vision_transformer")
    with fitting(NAME, weights) as path:
        network = timm.create_model(architecture, pretrained=False, img_size=SIDE, num_classes=0)
        state = state_dict(path)
        state["pos_embed"] = positions(state["pos_embed"], PATCHES)
        network.load_state_dict(vision_transformer.checkpoint_filter_fn(state, network))
    network.to(device).eval().requires_grad_(False)

    def look(images: Tensor) -> Mapping[str, Tensor]:
        return {"features": network(normalised(pil_bicubic_uint8(images, SIDE).to(device)))}

    # PIL resizes pictures of 8 bits and rounds twice on the way: floats have no place there
    return ColourExtractor(
        NAME, look, outputs=("features",), resize="pil-bicubic-uint8", device=device, unrounded=False
    )


def positions(embedding: Tensor, side: int) -> Tensor:
    """Position embeddings [1, 1 + n * n, D] of n x n patches, the first that of the class token, for `side` x `side`.

    Bicubic without antialiasing. The authors' scale is (side + 0.1) / n, to be safe from rounding, and it moves the
    points at which the embedding is looked up; so it does here.
    """
    token, grid = embedding[:, :1], embedding[:, 1:]
    old = isqrt(grid.shape[1])
    grid = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()
    scale = (side + 0.1) / old
    resized = interpolate(grid, scale_factor=(scale, scale), mode="bicubic", align_corners=False)
    return torch.cat([token, resized.permute(0, 2, 3, 1).flatten(1, 2).to(token.dtype)], dim=1)


def normalised(images: Tensor) -> Tensor:
    """uint8 [N, 3, H, W] to float, less the mean and over the deviation of ImageNet."""
    mean, deviation = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (images.float() / 255.0 - mean) / deviation
