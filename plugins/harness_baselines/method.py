"""The plain GAN: a generator and a discriminator, each with an Adam of its own (Goodfellow et al., 2014, Alg. 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Batch, Context, GeneratorSampler, Pair, Problem, Stage, Stream, sampler_of
from harness_baselines.config import GanSettings


class Gan:
    """The method of one run."""

    accumulates = True

    def __init__(self, settings: GanSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.conditions = k = problem.n_classes if settings.conditional else 0
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(conditions=k), backbone.discriminator(**self.loss.head(k))
        self.pair = Pair(settings, ctx, self.loss, *networks, conditions=k)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average."""
        return self.pair.state()

    def trained(self) -> GeneratorSampler:
        """The generator, averaged unless averaging is off."""
        return sampler_of(self.pair.generator, self.pair.average, self.conditions, told_labels=True)

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """`d_steps` steps of the discriminator, one of the generator, one of its average."""
        for number in range(self.settings.d_steps):
            batch = stream.next()
            self.discriminator_step(batch, self.ctx.step * self.settings.d_steps + number)
        self.generator_step(batch)
        self.pair.average.update(self.pair.generator, self.ctx.step)

    def discriminator_step(self, batch: Batch, step: int) -> None:
        """One step of the discriminator on as many fakes as there are real images."""
        pair, all_labels = self.pair, batch.labels if self.conditions else None
        for real, labels in self.ctx.parts(batch.images, all_labels):
            told = pair.told(len(real), labels)
            fake = pair.fakes(len(real), told)
            _, real_logits, fake_logits = pair.judge_both(real, fake, labels, told)
            terms = {
                "adversarial": self.loss.discriminator(real_logits, fake_logits, labels, told),
                **pair.penalty(real, fake, labels, step),
            }
            self.ctx.minimize(discriminator=(terms, pair.discriminator_adam))
            real_score, fake_score = self.loss.score(real_logits, labels), self.loss.score(fake_logits, told)
            self.ctx.log(real_logit=real_score.mean(), fake_logit=fake_score.mean())
        pair.regularise_discriminator(batch.images, all_labels, step)

    def generator_step(self, batch: Batch) -> None:
        """One step of the generator on as many fresh fakes as there are in a batch of real images."""
        pair, all_labels = self.pair, batch.labels if self.conditions else None
        for real, labels in self.ctx.parts(batch.images, all_labels):
            told = pair.asked(len(real), labels)
            fake_logits = pair.judge(pair.made(pair.latents(len(real)), told), told).score
            loss = self.loss.generator(fake_logits, told, pair.beside(real, labels))
            self.ctx.minimize(generator=({"adversarial": loss}, pair.generator_adam))
        pair.regularise_generator(len(batch.images), all_labels)
