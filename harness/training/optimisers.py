"""Optimisers and penalties as settings name them: what most adversarial methods share beside their own algorithm."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from harness.contracts.context import Context
from harness.contracts.settings import AdamSettings, PenaltySettings


def adam(
    parameters: Iterable[nn.Parameter], settings: AdamSettings, *, lazy: int | None = None
) -> torch.optim.Adam | torch.optim.AdamW:
    """Adam, or AdamW where weight decay is decoupled; all of a step in one pass where there are values at all.

    :param lazy: k, where a regulariser takes a step of its own every k steps: learning rate times c and betas to the
        power c, c = k / (k + 1), so that k + 1 steps do what k do otherwise (Karras et al. 2020, appendix B).
    """
    owned = list(parameters)
    share = 1.0 if lazy is None else lazy / (lazy + 1)
    kind = torch.optim.AdamW if settings.decoupled else torch.optim.Adam
    return kind(
        owned,
        lr=settings.lr * share,
        betas=(settings.betas[0] ** share, settings.betas[1] ** share),
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        fused=all(parameter.device.type != "meta" for parameter in owned),
    )


class LazyPenalty:
    """A gradient penalty that is taken every so many discriminator steps, and weighs as much more (Karras et al. 2020).

    :param settings: which penalty, its weight, its interval, and whether it has steps of its own.
    """

    def __init__(self, settings: PenaltySettings, ctx: Context) -> None:
        self._settings = settings
        self._ctx = ctx
        self._penalty = None if settings.name is None else ctx.penalty(settings.name)

    @property
    def chosen(self) -> bool:
        """Whether the settings name a penalty at all."""
        return self._penalty is not None

    @property
    def lazy(self) -> int | None:
        """What :func:`adam` is told of it: its interval, where it has steps of its own."""
        return self._settings.every if self.chosen and self._settings.own_step else None

    def due(self, step: int, *, own_step: bool = False) -> bool:
        """Whether it is taken at discriminator step `step`, beside the loss or in a step of its own."""
        return self.chosen and self._settings.own_step == own_step and step % self._settings.every == 0

    def terms(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: int) -> dict[str, Tensor]:
        """``{"penalty": ...}``, weighted, where it is due beside the loss at discriminator step `step`; else nothing.

        :param critic: images [N, ...] to logits [N].
        """
        return {"penalty": self.term(critic, real, fake)} if self.due(step) else {}

    def term(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """The penalty, weighted, []."""
        assert self._penalty is not None
        with self._ctx.full_precision():
            return self._settings.weight * self._settings.every * self._penalty(critic, real, fake, self._ctx)
