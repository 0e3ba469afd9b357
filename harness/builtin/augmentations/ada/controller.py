"""How p follows the discriminator: up where too many real images are scored above 0, down where too few.

Karras et al. (2020), section 3: r_t = E[sign(D(real))] (Eq. 1) tells overfitting without a validation set, and p moves
by a fixed amount each few steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def moved(p: Tensor, mean_sign: Tensor, target: float, amount: float) -> Tensor:
    """p + sign(r_t - target) amount, at least 0; [] and [] to [].

    There is no upper bound: above 1 p goes on counting, and comes back at the same speed, as in the public code. A tie
    leaves p where it is.
    """
    return (p + (mean_sign - target).sign() * amount).clamp_min(0.0)


class Controller:
    """p, and the signs seen since it last moved.

    What decides when p moves are Python's integers; what it moves by stays on the device.

    :param p: the value to start from.
    :param target: the r_t that p is steered to.
    :param interval: steps from one move to the next.
    :param kimg: thousands of images in which p can rise by 1.
    :ivar p: float32 [].
    :ivar signs: sum of the signs since the last move, float32 [].
    :ivar seen: how many signs these are.
    :ivar images: images of the steps since the last move.
    :ivar steps: how many steps these are.
    """

    def __init__(self, p: float, target: float, interval: int, kimg: int, device: torch.device) -> None:
        self.target, self.interval, self.kimg = target, interval, kimg
        self.p = torch.full((), p, device=device)
        self.signs = torch.zeros((), device=device)
        self.seen = self.images = self.steps = 0

    @property
    def mean_sign(self) -> Tensor:
        """r_t since the last move, []; NaN where nothing was seen."""
        return self.signs / self.seen if self.seen else torch.full_like(self.signs, torch.nan)

    def add(self, signs: Tensor, seen: int) -> None:
        """Take in the sum [] of `seen` signs."""
        self.signs += signs
        self.seen += seen

    def step(self, images: int) -> None:
        """Note the end of a step with so many images; each `interval`-th moves p."""
        self.images += images
        self.steps += 1
        if self.steps >= self.interval:
            # batch size x interval / (1000 kimg), for batches of one size
            self.p.copy_(moved(self.p, self.mean_sign, self.target, self.images / (1000 * self.kimg)))
            self.signs.zero_()
            self.seen = self.images = self.steps = 0

    def state_dict(self) -> dict[str, Any]:
        """Tensors and integers; the tensors are the controller's own."""
        names = ("p", "signs", "seen", "images", "steps")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; tensors keep their place and device."""
        self.p.copy_(state["p"])
        self.signs.copy_(state["signs"])
        self.seen, self.images, self.steps = (int(state[name]) for name in ("seen", "images", "steps"))
