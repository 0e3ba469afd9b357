"""Strong augmentations: for every image, a few operations drawn at random from a list, one after the other.

The list and its ranges are those that SCAN (Van Gansbeke et al. 2020) trains its clustering with, a shorter RandAugment
(Cubuk et al. 2020). Images are float [N, C, H, W] in [0, 1], C of 1 or 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from harness.contracts import Draws, upload
from harness_pgmgan import colour, geometry


class Operation(NamedTuple):
    """One of the list.

    :ivar apply: (images [N, C, H, W], amounts [N]) to images.
    :ivar low: smallest amount; amounts are uniform between low and high.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    low: float
    high: float


def _moved_right(images: Tensor, share: Tensor) -> Tensor:
    return geometry.moved(images, share * images.shape[-1], torch.zeros_like(share))


def _moved_down(images: Tensor, share: Tensor) -> Tensor:
    return geometry.moved(images, torch.zeros_like(share), share * images.shape[-2])


#: by name, in the order of their numbers
OPERATIONS: dict[str, Operation] = {
    "identity": Operation(lambda images, _: images, 0.0, 1.0),
    "autocontrast": Operation(lambda images, _: colour.autocontrasted(images), 0.0, 1.0),
    "equalize": Operation(lambda images, _: colour.equalised(images), 0.0, 1.0),
    "rotate": Operation(lambda images, degrees: geometry.rotated(images, degrees, "nearest"), -30.0, 30.0),
    "solarize": Operation(colour.solarised, 0.0, 256 / 255),
    "color": Operation(colour.saturated, 0.05, 0.95),
    "contrast": Operation(colour.contrasted, 0.05, 0.95),
    "brightness": Operation(colour.brightened, 0.05, 0.95),
    "sharpness": Operation(colour.sharpened, 0.05, 0.95),
    "shear_x": Operation(geometry.sheared_x, -0.1, 0.1),
    "translate_x": Operation(_moved_right, -0.1, 0.1),
    "translate_y": Operation(_moved_down, -0.1, 0.1),
    "posterize": Operation(lambda images, bits: colour.posterised(images, bits.floor()), 4.0, 8.0),
    "shear_y": Operation(geometry.sheared_y, -0.1, 0.1),
}


def randomly_changed(images: Tensor, rounds: int, draws: Draws) -> Tensor:
    """Apply `rounds` operations to each image, each drawn with replacement and with an amount of its own."""
    for _ in range(rounds):
        images = _one_round(images, draws)
    return images


def _one_round(images: Tensor, draws: Draws) -> Tensor:
    n, operations = len(images), list(OPERATIONS.values())
    kind, amount = draws.known(len(operations), n), draws.uniform(n)
    # images of the same operation stand together, so that each operation runs once, on its own images only
    order = kind.argsort(stable=True)
    there, back = (upload(numbers, images.device) for numbers in (order, order.argsort()))
    shares = kind.bincount(minlength=len(operations)).tolist()
    groups = zip(operations, images[there].split(shares), amount[there].split(shares), strict=True)
    changed = [
        operation.apply(some, operation.low + share * (operation.high - operation.low))
        for operation, some, share in groups
        if len(some)
    ]
    return torch.cat(changed)[back]
