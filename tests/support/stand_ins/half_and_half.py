"""A batch that is half real and half fake, and a constant of the discriminator's step that the generator uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, GeneratorSampler, Pair, Problem, Stage, Stream
from stand_ins.config import StandInSettings


class HalfAndHalf:
    """The method of one run."""

    def __init__(self, settings: StandInSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(), backbone.discriminator(**self.loss.head(0))
        self.pair = Pair(settings, ctx, self.loss, *networks)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return self.pair.state()

    def trained(self) -> GeneratorSampler:
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average)

    def step(self, stream: Stream) -> None:
        real = stream.next(self.settings.batch_size // 2).images
        self.generator_step(len(real), self.discriminator_step(real))
        self.pair.average.update(self.pair.generator, self.ctx.step)

    def discriminator_step(self, real: Tensor) -> Tensor:
        """One step; returns the mean feature of the real images of all devices before it, [F]."""
        pair, n = self.pair, len(real)
        fake = pair.fakes(n, None)
        with self.ctx.joined(2):
            critique = pair.judge(torch.cat([real, fake]), None)
        terms = {
            "adversarial": self.loss.discriminator(critique.score[:n], critique.score[n:]),
            **pair.penalty(real, fake, None, self.ctx.step),
        }
        self.ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        return self.ctx.mean(critique.feature[:n].detach().mean(0))

    def generator_step(self, n: int, centre: Tensor) -> None:
        """One step, which also draws the features of fakes towards `centre`."""
        critique = self.pair.judge(self.pair.made(self.pair.latents(n), None), None)
        terms = {
            "adversarial": self.loss.generator(critique.score),
            "centre": (critique.feature - centre).square().sum(1).mean(),
        }
        self.ctx.minimize(generator=(terms, self.pair.generator_adam))
