"""Rules that turn float images into what feature networks see, by the name that a protocol gives them.

Pixels are uint8; the rule `none` leaves them float, on the same scale and between its levels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harness.errors import UnknownName


def rounded(images: Tensor) -> Tensor:
    """Images in [-1, 1] to uint8: round((x + 1) * 127.5), values outside the range clamped."""
    return images.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def truncated(images: Tensor) -> Tensor:
    """Images in [-1, 1] to uint8: floor((x + 1) * 127.5), values outside the range clamped."""
    return images.add(1.0).mul(127.5).clamp(0, 255).to(torch.uint8)


def unrounded(images: Tensor) -> Tensor:
    """Images in [-1, 1] to float32 in [0, 255]: (x + 1) * 127.5, values outside the range clamped."""
    return images.float().add(1.0).mul(127.5).clamp(0, 255)


QUANTISERS: dict[str, Callable[[Tensor], Tensor]] = {"round": rounded, "truncate": truncated, "none": unrounded}

#: by rule, how the id of a protocol names what the network saw
SHOWN = {"round": "uint8-round", "truncate": "uint8-truncate", "none": "float255"}


def quantised(images: Tensor, rule: str) -> Tensor:
    """Float images [N, C, H, W] by the rule; stored images, which are uint8 already, pass through."""
    if rule not in QUANTISERS:
        raise UnknownName("quantisation rule", rule, QUANTISERS)
    return images if images.dtype == torch.uint8 else QUANTISERS[rule](images)
