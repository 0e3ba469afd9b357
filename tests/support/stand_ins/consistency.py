"""A discriminator that is held to see no difference between a real image and the same one augmented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from harness import Context, GeneratorSampler, Pair, Problem, Stage, Stream
from stand_ins.config import ConsistencySettings


class Consistency:
    """The method of one run."""

    def __init__(self, settings: ConsistencySettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(), backbone.discriminator(**self.loss.head(0))
        self.pair = Pair(settings, ctx, self.loss, *networks)
        self.change = ctx.augmentation(settings.consistency)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return {**self.pair.state(), "change": self.change}

    def trained(self) -> GeneratorSampler:
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average)

    def difference(self, real: Tensor, logits: Tensor) -> Tensor:
        """Mean over images of |D(x) - D(T(x))|^2, where `logits` are D(x), []."""
        return (logits - self.pair.judge(self.change(real), None).score).square().mean()

    def step(self, stream: Stream) -> None:
        pair, ctx, real = self.pair, self.ctx, stream.next().images
        n = len(real)
        fake = pair.fakes(n, None)
        _, real_logits, fake_logits = pair.judge_both(real, fake, None, None)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits),
            "consistency": self.settings.weight * self.difference(real, real_logits),
            **pair.penalty(real, fake, None, ctx.step),
        }
        ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        logits = pair.judge(pair.made(pair.latents(n), None), None).score
        ctx.minimize(generator=(self.loss.generator(logits), pair.generator_adam))
        pair.average.update(pair.generator, ctx.step)
