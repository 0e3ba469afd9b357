"""Optimisers and penalties as settings name them: what most adversarial methods share beside their own algorithm."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from harness.contracts.context import Context
from harness.contracts.settings import AdamSettings, PenaltySettings


def adam(parameters: Iterable[nn.Parameter], settings: AdamSettings) -> torch.optim.Adam:
    """Plain Adam with coupled weight decay; all of a step in one pass where there are values at all."""
    owned = list(parameters)
    return torch.optim.Adam(
        owned,
        lr=settings.lr,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        fused=all(parameter.device.type != "meta" for parameter in owned),
    )


class LazyPenalty:
    """A gradient penalty that is taken every so many discriminator steps, and weighs as much more (Karras et al. 2020).

    :param settings: which penalty, its weight and its interval.
    """

    def __init__(self, settings: PenaltySettings, ctx: Context) -> None:
        self._settings = settings
        self._ctx = ctx
        self._penalty = None if settings.name is None else ctx.penalty(settings.name)

    @property
    def chosen(self) -> bool:
        """Whether the settings name a penalty at all."""
        return self._penalty is not None

    def terms(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: int) -> dict[str, Tensor]:
        """``{"penalty": ...}``, weighted, where it is due at discriminator step `step`; else nothing.

        :param critic: images [N, ...] to logits [N].
        """
        every, weight = self._settings.every, self._settings.weight
        if self._penalty is None or step % every:
            return {}
        with self._ctx.full_precision():
            return {"penalty": weight * every * self._penalty(critic, real, fake, self._ctx)}
