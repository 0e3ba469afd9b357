"""ada: augmentation of all that the discriminator sees, as often as it overfits (Karras et al., NeurIPS 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from harness.builtin.augmentations.ada.ada_settings import AdaSettings
from harness.builtin.augmentations.ada.controller import Controller
from harness.builtin.augmentations.ada.pipe import Pipe
from harness.contracts import Context


class Ada:
    """The chain of transforms, each applied with probability p, and what moves p.

    A step calls it on real and on generated images, and then hands the scores of the real ones to `observe`.
    """

    def __init__(self, settings: AdaSettings, ctx: Context) -> None:
        self._settings = settings
        self._ctx = ctx
        self._pipe = Pipe(settings)
        # without a target the controller only keeps p
        target = 0.0 if settings.target is None else settings.target
        self._controller = Controller(settings.p, target, settings.interval, settings.kimg, ctx.device)

    @property
    def p(self) -> Tensor:
        """The probability now, float32 []; above 1 it is as 1, but comes back only as fast as it rose."""
        return self._controller.p.clone()

    def __call__(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] in about [-1, 1], augmented one by one; the result may leave that range.

        Gradients of any order pass through to the images.

        :raises SettingsError: for other than 1 or 3 channels, or fewer than 22 pixels a side with imgfilter on.
        """
        n, channels, height, width = images.shape
        self._pipe.check(channels, height, width)
        drawn = self._pipe.draw(self._ctx, n, channels, height, width)
        return self._pipe(images, drawn, self._controller.p)

    def observe(self, scores: Tensor, *, step: bool = True) -> None:
        """Take in the scores (logits) [N] of one discriminator step's real images; each `interval`-th step moves p.

        :param step: False where the scores are further ones of a step that is counted by another call, before or after:
            the public code also counts those that its lazy R1 penalty is computed from.
        """
        if self._settings.target is None:
            return
        # averaged at once, not only when p moves, so that a checkpoint of one device holds for all
        self._controller.add(self._ctx.mean(scores.detach().float().sign().sum()), scores.numel())
        if step:
            self._controller.step(len(scores) * self._ctx.world)

    def state_dict(self) -> dict[str, Any]:
        """p and what was seen since it last moved: tensors and integers."""
        return self._controller.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, in place."""
        self._controller.load_state_dict(state)
