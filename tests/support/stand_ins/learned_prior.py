"""A generator told soft categories whose prior is learned with it, by gradients through the conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness import Context, GeneratorSampler, Pair, Problem, Stage, Stream, adam
from stand_ins.config import LearnedPriorSettings


class LearnedPrior:
    """The method of one run."""

    def __init__(self, settings: LearnedPriorSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.k = settings.categories
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(conditions=self.k), backbone.discriminator(**self.loss.head(self.k))
        self.pair = Pair(settings, ctx, self.loss, *networks, conditions=self.k)
        self.prior = ctx.place(nn.ParameterList([torch.zeros(self.k)]))
        self.prior_adam = adam(self.prior.parameters(), settings.prior_adam)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return {**self.pair.state(), "prior": self.prior, "prior_adam": self.prior_adam}

    def trained(self) -> GeneratorSampler:
        weights = self.prior[0].detach().softmax(0)
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average, self.k, prior=weights)

    def soft(self, n: int) -> Tensor:
        """Gumbel-softmax draws from the prior, float [n, K], with gradient."""
        gumbel = -(-self.ctx.uniform(n, self.k).clamp(1e-6, 1 - 1e-6).log()).log()
        return ((self.prior[0] + gumbel) / self.settings.temperature).softmax(1)

    def generator_loss(self, n: int) -> Tensor:
        """Of n fresh fakes, with gradients to the generator and to the prior's logits."""
        soft = self.soft(n)
        return self.loss.generator(self.pair.judge(self.pair.made(self.pair.latents(n), soft), soft).score)

    def step(self, stream: Stream) -> None:
        pair, ctx, real = self.pair, self.ctx, stream.next().images
        n = len(real)
        with torch.no_grad():
            fakes_told = self.soft(n)
            reals_told = self.prior[0].softmax(0).expand(n, -1)  # all that is known of them
        fake = pair.fakes(n, fakes_told)
        _, real_logits, fake_logits = pair.judge_both(real, fake, reals_told, fakes_told)
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits, reals_told, fakes_told),
            **pair.penalty(real, fake, reals_told, ctx.step),
        }
        ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        loss = self.generator_loss(n)
        ctx.minimize(generator=(loss, pair.generator_adam), prior=(loss, self.prior_adam))
        pair.average.update(pair.generator, ctx.step)
