"""The controller of beta and gamma: the surer the discriminator is of real images, the more it sees their codes."""

from __future__ import annotations

import torch
from torch import Tensor

from harness_lcsa.config import ControllerSettings


class Controller:
    """Moves beta by a fixed amount up or down, by whether r exceeds eta; gamma follows beta.

    r is the smoothed mean sign of the logits of real images, in [-1, 1]. Everything stays on the device, so that no
    step waits for a number.

    :ivar r: the statistic, a scalar.
    :ivar beta: how much of the coded features goes on, a scalar in [0, 1].
    """

    def __init__(self, settings: ControllerSettings, device: torch.device) -> None:
        self.settings = settings
        self.r = torch.zeros((), device=device)
        self.beta = torch.full((), settings.beta0, device=device)
        self._seen: list[Tensor] = []

    @property
    def gamma(self) -> Tensor:
        """Weight of the proximity term, a scalar of at least 0."""
        s = self.settings
        if s.mode == "fixed":
            return s.delta_gamma * self.beta
        if s.coupling == "A":
            return (s.gamma0 + s.delta_gamma * (self.beta - s.beta0)).clamp(min=0.0)
        if s.coupling == "B":
            return s.gamma0 + s.delta_gamma * self.beta
        return (s.delta_gamma * self.beta).clamp(min=s.gamma0)

    def observe(self, sign: Tensor) -> None:
        """Take in the mean sign of the logits of one real batch, a scalar in [-1, 1]."""
        self._seen.append(sign)

    def adapt(self) -> None:
        """Update r by what was observed since last time, which is then forgotten, and move beta."""
        s = self.settings
        sign = torch.stack(self._seen).mean()
        self._seen.clear()
        self.r = s.ema * self.r + (1.0 - s.ema) * sign
        if s.mode == "adaptive":
            step = torch.where(self.r > s.eta, s.delta_beta, -s.delta_beta)
            self.beta = (self.beta + step).clamp(0.0, 1.0)

    def state_dict(self) -> dict[str, Tensor]:
        """r and beta; between steps there is nothing else."""
        return {"r": self.r, "beta": self.beta}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take back r and beta."""
        self.r = state["r"].to(self.r.device, copy=True)
        self.beta = state["beta"].to(self.beta.device, copy=True)


def mean_sign(logits: Tensor) -> Tensor:
    """Mean sign of logits [N], a scalar in [-1, 1] without gradient: 0.5 says that three in four are positive."""
    return logits.detach().float().sign().mean()
