"""The plain GAN: a generator and a discriminator, each with an Adam of its own (Goodfellow et al., 2014, Alg. 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from harness import (
    Average,
    Batch,
    Context,
    GeneratorSampler,
    LazyPenalty,
    Problem,
    Stage,
    Stream,
    adam,
)
from harness_baselines.config import GanSettings


class Gan:
    """The method of one run."""

    def __init__(self, settings: GanSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.conditions = problem.n_classes if settings.conditional else 0
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.latent_dim = backbone.latent_dim
        self.generator = ctx.place(backbone.generator(conditions=self.conditions))
        self.discriminator = ctx.place(backbone.discriminator(conditions=self.conditions))
        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam)
        self.discriminator_adam = adam(self.discriminator.parameters(), settings.discriminator_adam)
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = ctx.loss(settings.loss)
        self.penalty = LazyPenalty(settings.penalty, ctx)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "average": self.average,
        }

    def trained(self) -> GeneratorSampler:
        """The generator, averaged unless averaging is off."""
        return GeneratorSampler.averaged(self.generator, self.average, self.conditions, told_labels=True)

    def begin(self) -> None:
        """Both networks train."""
        self.generator.train()
        self.discriminator.train()

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """`d_steps` steps of the discriminator, one of the generator, one of its average."""
        for number in range(self.settings.d_steps):
            batch = stream.next()
            self.discriminator_step(batch, self.ctx.step * self.settings.d_steps + number)
        self.generator_step(len(batch.images))
        self.average.update(self.generator, self.ctx.step)

    def discriminator_step(self, batch: Batch, step: int) -> None:
        """One step of the discriminator on as many fakes as there are real images."""
        real, n = batch.images, len(batch.images)
        labels = batch.labels if self.conditions else None
        # a penalty sees real and fake under one condition each, so that they may be interpolated
        told = labels if self.penalty.chosen else self.ctx.conditions(n, self.conditions)
        with torch.no_grad():
            fake = self.generator(self.ctx.latents(n, self.latent_dim), told)

        if self.settings.passes == "joint":
            both = torch.cat([labels, told]) if labels is not None and told is not None else None
            real_logits, fake_logits = self.discriminator(torch.cat([real, fake]), both).score.split(n)
        else:
            real_logits, fake_logits = self.discriminator(real, labels).score, self.discriminator(fake, told).score
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits),
            **self.penalty.terms(lambda x: self.discriminator(x, labels).score, real, fake, step),
        }
        self.ctx.minimize(discriminator=(terms, self.discriminator_adam))
        self.ctx.log(real_logit=real_logits.mean(), fake_logit=fake_logits.mean())

    def generator_step(self, n: int) -> None:
        """One step of the generator on `n` fresh fakes."""
        told = self.ctx.conditions(n, self.conditions)
        fake_logits = self.discriminator(self.generator(self.ctx.latents(n, self.latent_dim), told), told).score
        self.ctx.minimize(generator=({"adversarial": self.loss.generator(fake_logits)}, self.generator_adam))
