"""The LeCam regulariser: scores are kept near what the other side's were of late, Tseng et al. (CVPR 2021)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.builtin.regularisers.lecam_settings import LecamSettings
from harness.contracts import Context
from harness.layers import full


def lecam(real: Tensor, fake: Tensor, ema_real: Tensor, ema_fake: Tensor) -> Tensor:
    """The paper's R_LC, for scores [N] and averages [] of earlier ones; a scalar, float32 at least.

    The paper squares both distances whatever their sign. As in the authors' code, they count on one side only: real
    scores where they lie above the average of fake ones, fake scores where they lie below that of real ones.
    """
    above = (full(real) - ema_fake).relu()  # D(x) - alpha_F
    below = (ema_real - full(fake)).relu()  # alpha_R - D(G(z))
    return above.square().mean() + below.square().mean()


class Lecam:
    """The weighted term, and the moving averages of the scores' means (alpha_R and alpha_F) that it needs.

    :ivar means: float32 [2], the averages of real and of fake scores; meaningless before the first step.
    """

    def __init__(self, settings: LecamSettings, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.means = torch.zeros(2, device=ctx.device)
        self._begun = False

    def term(self, real: Tensor, fake: Tensor, step: int) -> Tensor:
        """What is added to the discriminator's loss at a step; a scalar, no gradient of which reaches the averages.

        The averages move first. Up to the step `start` it is a zero without a gradient.

        :param real: scores [N] of real images in this discriminator step; `fake` [N] those of generated ones.
        """
        self._follow(real, fake, step)
        if step <= self.settings.start:
            return torch.zeros((), device=real.device)
        ema_real, ema_fake = self.means.unbind()
        return self.settings.weight * lecam(real, fake, ema_real, ema_fake)

    def state_dict(self) -> dict[str, Any]:
        return {"means": self.means, "begun": self._begun}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.means.copy_(state["means"])
        self._begun = bool(state["begun"])

    @torch.no_grad()
    def _follow(self, real: Tensor, fake: Tensor, step: int) -> None:
        means = torch.stack([full(scores).mean() for scores in (real, fake)])  # [2]
        means = self.ctx.mean(means)  # over devices, both at once
        # the first means are copied even where start is 0: any other beginning would be an average of no score
        if step < self.settings.start or not self._begun:
            self.means.copy_(means)
        else:
            self.means.lerp_(means.to(self.means.dtype), 1.0 - self.settings.decay)
        self._begun = True
