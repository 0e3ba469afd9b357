"""The plain GAN: a generator and a discriminator, each with an Adam of its own (Goodfellow et al., 2014, Alg. 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness import Average, Batch, Context, GeneratorSampler, Problem, SettingsError, Stage, Stream
from harness_baselines.config import AdamSettings, GanSettings


class Gan:
    """The method of one run."""

    def __init__(self, settings: GanSettings, problem: Problem, ctx: Context) -> None:
        if settings.conditional and problem.n_classes == 0:
            raise SettingsError(
                f"conditional=true, but data set '{problem.dataset}' has no labels", "use --set conditional=false"
            )
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
        self.penalty = None if settings.penalty.name is None else ctx.penalty(settings.penalty.name)

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
        if self.settings.ema.decay == 0:
            return GeneratorSampler(self.generator, self.conditions, {"weights": "raw"})
        return GeneratorSampler(self.average.module, self.conditions)

    def begin(self) -> None:
        """Both networks train."""
        self.generator.train()
        self.discriminator.train()

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """`d_steps` steps of the discriminator, one of the generator, one of its average."""
        for number in range(self.settings.d_steps):
            batch = stream.next()
            self.discriminator_step(batch, number)
        self.generator_step(len(batch.images))
        self.average.update(self.generator, self.ctx.step)

    def discriminator_step(self, batch: Batch, number: int) -> None:
        """One step of the discriminator on as many fakes as there are real images."""
        real, n = batch.images, len(batch.images)
        labels = batch.labels if self.conditions else None
        # a penalty sees real and fake under one condition each, so that they may be interpolated
        told = labels if self.penalty is not None else self.random_conditions(n)
        with torch.no_grad():
            fake = self.generator(self.random_latents(n), told)

        both = torch.cat([labels, told]) if labels is not None and told is not None else None
        real_logits, fake_logits = self.discriminator(torch.cat([real, fake]), both).score.split(n)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits),
            **self.penalty_term(real, fake, labels, number),
        }
        self.ctx.minimize(discriminator=(terms, self.discriminator_adam))
        self.ctx.log(real_logit=real_logits.mean(), fake_logit=fake_logits.mean())

    def generator_step(self, n: int) -> None:
        """One step of the generator on `n` fresh fakes."""
        told = self.random_conditions(n)
        fake_logits = self.discriminator(self.generator(self.random_latents(n), told), told).score
        self.ctx.minimize(generator=({"adversarial": self.loss.generator(fake_logits)}, self.generator_adam))

    def penalty_term(self, real: Tensor, fake: Tensor, labels: Tensor | None, number: int) -> dict[str, Tensor]:
        """The gradient penalty where one is chosen and due, every `penalty.every` discriminator steps."""
        every, weight = self.settings.penalty.every, self.settings.penalty.weight
        if self.penalty is None or (self.ctx.step * self.settings.d_steps + number) % every:
            return {}
        with self.ctx.full_precision():
            penalty = self.penalty(lambda images: self.discriminator(images, labels).score, real, fake)
        return {"penalty": weight * every * penalty}

    # -- draws -------------------------------------------------------------------------------------

    def random_latents(self, n: int) -> Tensor:
        """Standard normal latents [n, latent_dim]."""
        return torch.randn(n, self.latent_dim, device=self.ctx.device)

    def random_conditions(self, n: int) -> Tensor | None:
        """Uniform conditions int64 [n]; None without."""
        return torch.randint(self.conditions, (n,), device=self.ctx.device) if self.conditions else None


def adam(parameters: Iterator[nn.Parameter], settings: AdamSettings) -> torch.optim.Adam:
    """Plain Adam with coupled weight decay."""
    return torch.optim.Adam(
        parameters, lr=settings.lr, betas=settings.betas, eps=settings.eps, weight_decay=settings.weight_decay
    )
