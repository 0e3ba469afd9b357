"""Pixels as features: no network, grey or colour, of small images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import EvaluationError

#: values of an image, beyond which Gaussians fitted to them would need tens of GB: a covariance of these has 1.2
MOST = 3 * 64 * 64


class Pixels:
    """uint8 [N, C, H, W], or floats in [0, 255], to [N, C * H * W] in [0, 1]."""

    outputs = ("features",)
    resize = "native"
    batch = 128
    unrounded = True

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3:
            raise EvaluationError(f"extractor 'pixels' takes images, not data of shape {shape}")
        if math.prod(shape) > MOST:
            given = f"{'x'.join(map(str, shape))} = {math.prod(shape):,}"
            raise EvaluationError(
                f"extractor 'pixels' takes images of up to {MOST:,} values, not {given}",
                "name another: --set 'evaluation.extractors=[\"efficientnet-lite0\"]'",
            )

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        return {"features": images.flatten(1).float() / 255.0}


def load(weights: Path | None, device: torch.device) -> Pixels:
    """Pixels need neither weights nor a device."""
    return Pixels()
