"""What accompanies a method's training by its settings alone: attached here, shown logits here, saved with the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness.contracts.companions import Augmentation, Regulariser
from harness.errors import SettingsError


class Companions:
    """The augmentation before a method's discriminator, and the regulariser of its logits; either may be missing."""

    def __init__(self, augmentation: Augmentation | None = None, regulariser: Regulariser | None = None) -> None:
        self.augmentation = augmentation
        self.regulariser = regulariser
        self._attached = False
        self._seen: list[Tensor] = []

    def attach(self, discriminator: nn.Module, pack: int) -> None:
        """Have the augmentation change what the discriminator sees, in training mode.

        :raises SettingsError: where it sees images of several resolutions at once.
        """
        if self.augmentation is None:
            return
        if getattr(discriminator, "atlas", False):
            raise SettingsError(
                "augmentation: this backbone's discriminator sees images of several resolutions at once, "
                "which an augmentation would draw apart",
                "leave augmentation out, or choose another backbone",
            )
        self._attached = True
        augmentation = self.augmentation

        # a plain function: copies of the network share it, and no state of it gets into theirs
        def augmented(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
            if not module.training:
                return None
            if given:
                return (_one_by_one(augmentation, given[0], pack), *given[1:]), named
            return given, {**named, "images": _one_by_one(augmentation, named["images"], pack)}

        discriminator.register_forward_pre_hook(augmented, with_kwargs=True)

    def look(self, real: Tensor, fake: Tensor, step: int) -> Tensor | None:
        """Scores [N] of one discriminator step, or of a part of it: what is to be added to the loss.

        The real ones are kept for the augmentation's controller until the step is done.

        :param step: of the stage.
        """
        if self.augmentation is not None:
            self._seen.append(real.detach())
        return None if self.regulariser is None else self.regulariser.term(real, fake, step)

    def settle(self) -> None:
        """A step is done: the controller sees the scores of all its real images, and may change what comes next."""
        if self.augmentation is not None and self._seen:
            self.augmentation.observe(torch.cat(self._seen))
            self._seen.clear()

    def state(self) -> Mapping[str, Any]:
        """What a checkpoint keeps beside the method's own state."""
        found = {"companions.augmentation": self.augmentation, "companions.regulariser": self.regulariser}
        return {name: value for name, value in found.items() if value is not None}

    def check_used(self, method: str, has_loss: bool) -> None:
        """A companion that nothing was built for would be passed over in silence.

        :param has_loss: whether the method took an adversarial loss, whose logits a regulariser sees.
        :raises SettingsError: naming the setting.
        """
        for setting, companion, used in (
            ("augmentation", self.augmentation, self._attached),
            ("regulariser", self.regulariser, has_loss),
        ):
            if companion is not None and not used:
                raise SettingsError(
                    f"{setting}: method '{method}' has no discriminator that it could act on", f"leave {setting} out"
                )


def _one_by_one(augmentation: Augmentation, images: Tensor, pack: int) -> Tensor:
    """Packs [N, pack C, H, W] augmented image by image."""
    if pack == 1:
        return augmentation(images)
    n, channels = images.shape[:2]
    return augmentation(images.reshape(n * pack, channels // pack, *images.shape[2:])).reshape(images.shape)
