"""What every rival trains: a generator and a discriminator, each with its Adam, and an average of the generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Average, Context, adam
from harness.contracts import Discriminator, Generator
from harness_baselines.config import RivalSettings


class Pair:
    """Two networks that play against each other.

    :param generator, discriminator: put on the run's device.
    """

    def __init__(
        self, settings: RivalSettings, ctx: Context, generator: Generator, discriminator: Discriminator
    ) -> None:
        self.ctx = ctx
        self.generator = ctx.place(generator)
        self.discriminator = ctx.place(discriminator)
        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam)
        self.discriminator_adam = adam(self.discriminator.parameters(), settings.discriminator_adam)
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = ctx.loss(settings.loss)

    def state(self) -> dict[str, Any]:
        """Networks, optimisers and average, for a method's own state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "average": self.average,
        }

    def train(self) -> None:
        """Both networks train."""
        self.generator.train()
        self.discriminator.train()

    def latents(self, n: int) -> Tensor:
        """Standard normal latents [n, latent_dim]."""
        return self.ctx.latents(n, self.generator.latent_dim)

    def minimize_discriminator(self, real: Tensor, fake: Tensor, **more: Tensor) -> None:
        """One step of the discriminator.

        :param real, fake: logits, one an image or one a pack.
        :param more: further terms of its loss, scalars.
        """
        terms: Mapping[str, Tensor] = {"adversarial": self.loss.discriminator(real, fake), **more}
        self.ctx.minimize(discriminator=(terms, self.discriminator_adam))
        self.ctx.log(real_logit=real.mean(), fake_logit=fake.mean())

    def minimize_generator(self, fake: Tensor, **more: Tensor) -> None:
        """One step of the generator, and one of its average; `fake` are logits, `more` further terms."""
        terms: Mapping[str, Tensor] = {"adversarial": self.loss.generator(fake), **more}
        self.ctx.minimize(generator=(terms, self.generator_adam))
        self.average.update(self.generator, self.ctx.step)

    def conditional_step(self, real: Tensor, told: Tensor) -> None:
        """One step of each network, real and fake images under the same conditions.

        :param real: images [N, C, H, W] in [-1, 1], or points [N, D].
        :param told: the condition of each, int64 [N]; fakes get the same, so that conditions come as often as in the
            data.
        """
        n = len(real)
        with torch.no_grad():
            fake = self.generator(self.latents(n), told)
        # two passes, so that a batch norm sees real images or fakes, never a mixture
        self.minimize_discriminator(self.discriminator(real, told).score, self.discriminator(fake, told).score)
        self.minimize_generator(self.discriminator(self.generator(self.latents(n), told), told).score)
