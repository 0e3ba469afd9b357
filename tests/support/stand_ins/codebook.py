"""A generator told several labels at once, drawn from a table of priors that follows what is found in real images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, GeneratorSampler, Pair, Problem, Stage, Stream
from harness.layers import as_rows
from stand_ins.config import CodebookSettings


class Codebook:
    """The method of one run; L labels of K values each."""

    def __init__(self, settings: CodebookSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.n_labels, self.k = settings.n_labels, settings.values
        rows = self.n_labels * self.k
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(conditions=rows), backbone.discriminator(**self.loss.head(rows))
        self.pair = Pair(settings, ctx, self.loss, *networks, conditions=rows)
        self.prior = torch.full((self.n_labels, self.k), 1 / self.k, device=ctx.device)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return {**self.pair.state(), "prior": self.prior}

    def trained(self) -> GeneratorSampler:
        labels: dict[str, Any] = {"prior": self.prior, "n_labels": self.n_labels}
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average, self.k, **labels)

    def drawn(self, n: int) -> Tensor:
        """Labels from the prior, int64 [n, L]."""
        reached = self.prior.cumsum(1)  # [L, K]
        u = self.ctx.uniform(n, self.n_labels, 1) * reached[:, -1:]
        return (u >= reached).sum(2).clamp(max=self.k - 1)

    @torch.no_grad()
    def found(self, images: Tensor) -> Tensor:
        """Labels that the discriminator finds likeliest, int64 [N, L]."""
        return self.pair.judge(images, None).score.unflatten(1, (self.n_labels, self.k)).argmax(2)

    def step(self, stream: Stream) -> None:
        pair, ctx, real = self.pair, self.ctx, stream.next().images
        n = len(real)
        labels, told = self.found(real), self.drawn(n)
        fake = pair.fakes(n, told)
        _, real_logits, fake_logits = pair.judge_both(real, fake, labels, told)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits, labels, told),
            **pair.penalty(real, fake, labels, ctx.step),
        }
        ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        told = self.drawn(n)
        logits = pair.judge(pair.made(pair.latents(n), told), told).score
        ctx.minimize(generator=(self.loss.generator(logits, told), pair.generator_adam))
        often = as_rows(labels, self.prior.numel()).mean(0).view_as(self.prior)
        self.prior.lerp_(ctx.mean(often), 1 - self.settings.decay)
        pair.average.update(pair.generator, ctx.step)
