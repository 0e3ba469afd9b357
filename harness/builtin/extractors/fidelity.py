"""torch-fidelity's networks on floats: they turn pixels into floats themselves, but refuse what was never rounded."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn


def forward_of(network: nn.Module) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """The network as a function of images [N, 3, H, W], uint8 or float32 in [0, 255].

    uint8 images go the library's own way. For floats its `forward` runs with one name exchanged, the function that
    stops at any other type than uint8 (and at shapes that never get here): its first act after that is to make floats.
    """
    forward: Any = type(network).forward
    names = {**forward.__globals__, "vassert": lambda condition, message: None}
    code = FunctionType(forward.__code__, names, forward.__name__, forward.__defaults__, forward.__closure__)
    on_floats = MethodType(code, network)

    def look(images: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = network(images) if images.dtype == torch.uint8 else on_floats(images)
        return outputs

    return look
