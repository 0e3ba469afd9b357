"""Path length regularisation of a generator with styles (Karras et al. 2020, section 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.contracts.context import Context
from harness.contracts.networks import StyledGenerator
from harness.contracts.settings import PathLengthSettings
from harness.training.mixed_styles import mixed_styles


class PathLength:
    """Holds the lengths of the generator's paths to their running mean.

    :ivar mean: of the lengths so far, [].
    """

    def __init__(self, settings: PathLengthSettings, ctx: Context) -> None:
        self._settings = settings
        self._ctx = ctx
        self.mean = torch.zeros((), device=ctx.device)

    @property
    def chosen(self) -> bool:
        """Whether it has any weight at all."""
        return self._settings.weight > 0

    def due(self, step: int) -> bool:
        """Whether it is taken at generator step `step`."""
        return self.chosen and step % self._settings.every == 0

    def rows(self, n: int) -> int:
        """How many of a batch of n images it looks at."""
        return max(1, n // self._settings.shrink)

    def term(self, generator: StyledGenerator, latents: Tensor, told: Tensor | None) -> Tensor:
        """The penalty, weighted, of fresh images of latents [N, latent_dim], [].

        With styles w, one a layer, and normal noise y: the length of an image is the root of the mean over layers of
        |J_w^T y|^2, its penalty the square of its distance from the mean. The gradient flows through the mean too, as
        in the public StyleGAN2-ADA code.
        """
        with self._ctx.full_precision():
            styles = mixed_styles(generator, latents.float(), told, self._ctx)  # [N, n_styles, W]
            images = generator.synthesise(styles, self._ctx.noise)
            y = self._ctx.normal(*images.shape) / (images.shape[2] * images.shape[3]) ** 0.5
            (gradient,) = torch.autograd.grad((images * y).sum(), styles, create_graph=True)
            lengths = gradient.square().sum(2).mean(1).sqrt()  # [N]
            mean = torch.lerp(self.mean.to(lengths.dtype), self._ctx.gather(lengths).mean(), self._settings.decay)
            self.mean.copy_(mean.detach())
            penalty = (lengths - mean).square().mean()
        self._ctx.log(path_length=lengths.detach().mean())
        return self._settings.weight * self._settings.every * penalty

    def state_dict(self) -> dict[str, Any]:
        """The running mean."""
        return {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a running mean."""
        self.mean.copy_(state["mean"])
