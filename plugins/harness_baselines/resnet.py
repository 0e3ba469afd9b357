"""ResNet-50, trained on ImageNet's labels: the network whose features Logo-GAN-RC clusters.

Features are the 2048 of the last pooling. Images are resized to 224 pixels; whether the authors enlarged small ones is
not published.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import full_precision
from harness.errors import EvaluationError

NAME = "resnet50"
SIDE = 224

#: of ImageNet's pixels in [0, 1], by channel
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load(weights: Path | None, device: torch.device) -> Resnet50:
    """The network with the weights in torchvision's file.

    :raises EvaluationError: where the file does not hold them.
    """
    from torchvision.models import resnet50

    if weights is None:
        raise EvaluationError(f"extractor '{NAME}' needs a file of weights")
    network = resnet50(weights=None)
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (RuntimeError, TypeError, AttributeError, KeyError, pickle.UnpicklingError, EOFError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EvaluationError(f"weights of extractor '{NAME}' at {weights} do not fit: {reason}") from error
    return Resnet50(network, device)


class Resnet50:
    """The network up to its last pooling, in eval mode, float32 without TF32."""

    outputs = ("features",)
    resize = "bilinear-antialias"
    batch = 16

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        network.fc = nn.Identity()
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self.mean, self.std = (torch.tensor(each, device=device)[:, None, None] for each in (MEAN, STD))

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what is no image of one or three channels."""
        if len(shape) != 3 or shape[0] not in (1, 3):
            raise EvaluationError(
                f"extractor '{NAME}' takes images of 1 or 3 channels, not {'x'.join(map(str, shape))}"
            )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        """Images uint8 [N, 1 or 3, H, W] to features float32 [N, 2048]."""
        self.check(tuple(images.shape[1:]))
        with full_precision(self.device):
            return {"features": self.network(self.prepared(images.to(self.device)))}

    def prepared(self, images: Tensor) -> Tensor:
        """uint8 [N, 1 or 3, H, W] to what the network was trained on, float32 [N, 3, 224, 224]."""
        pixels = images.expand(-1, 3, -1, -1).float() / 255.0
        resized = F.interpolate(pixels, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        return (resized - self.mean) / self.std
