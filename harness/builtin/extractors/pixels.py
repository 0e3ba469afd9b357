"""Pixels as features: no network, any size, grey or colour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import EvaluationError


class Pixels:
    """uint8 [N, C, H, W] to [N, C * H * W] in [0, 1]."""

    outputs = ("features",)
    resize = "native"
    batch = 128

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3:
            raise EvaluationError(f"extractor 'pixels' takes images, not data of shape {shape}")

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        return {"features": images.flatten(1).float() / 255.0}


def load(weights: Path | None, device: torch.device) -> Pixels:
    """Pixels need neither weights nor a device."""
    return Pixels()
