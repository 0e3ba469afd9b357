"""Networks made for colour photographs: images of any size, and grey ones shown as three equal channels.

N: images, at most `batch`, which is where these networks are fastest on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from harness import full_precision
from harness.errors import EvaluationError


class ColourExtractor:
    """A network in eval mode, float32 without TF32.

    :param look: maps uint8 [N, 3, H, W] to the outputs, each float [N, F].
    :param resize: what `look` does to make images fit, as protocols name it.
    :param unrounded: whether `look` takes floats in [0, 255] too.
    """

    batch = 16

    def __init__(
        self,
        name: str,
        look: Callable[[Tensor], Mapping[str, Tensor]],
        *,
        outputs: tuple[str, ...],
        resize: str,
        device: torch.device,
        unrounded: bool = True,
    ) -> None:
        self.name = name
        self.outputs = outputs
        self.resize = resize
        self.unrounded = unrounded
        self.device = device
        self._look = look

    def check(self, shape: tuple[int, ...]) -> None:
        check_channels(self.name, shape)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        self.check(tuple(images.shape[1:]))
        with full_precision(self.device):
            return self._look(three_channels(images).to(self.device))


def check_channels(name: str, shape: tuple[int, ...]) -> None:
    """Refuse what is no image of one or three channels."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise EvaluationError(f"extractor '{name}' takes images of 1 or 3 channels, not {'x'.join(map(str, shape))}")


def three_channels(images: Tensor) -> Tensor:
    """Images [N, C, H, W], grey ones with their channel three times, in plain memory order."""
    return images.expand(-1, 3, -1, -1).contiguous()
