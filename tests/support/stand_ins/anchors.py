"""A discriminator that tells real from fake by kernel densities of its features over the anchors of all devices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, GeneratorSampler, LazyPenalty, Pair, Problem, Stage, Stream
from stand_ins.config import AnchorsSettings


def log_density(queries: Tensor, anchors: Tensor, width: float, own: int | None = None) -> Tensor:
    """log mean_j exp(-|q_i - a_j|^2 / 2 width^2) of queries [N, F] over anchors [M, F], [N].

    :param own: where the queries are anchors `own` to `own` + N - 1, each of which is left out of its own mean.
    """
    exponents = -(queries[:, None] - anchors).square().sum(2) / (2 * width**2)  # [N, M]
    count = len(anchors)
    if own is not None:
        row, column = torch.arange(len(queries), device=queries.device), torch.arange(count, device=queries.device)
        exponents, count = exponents.masked_fill(row[:, None] + own == column, -torch.inf), count - 1
    return exponents.logsumexp(1) - math.log(count)


class Anchors:
    """The method of one run."""

    def __init__(self, settings: AnchorsSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(), backbone.discriminator(outputs=0, heads={"kernel": 4})
        self.pair = Pair(settings, ctx, self.loss, *networks)
        self.penalty = LazyPenalty(settings.penalty, ctx)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return self.pair.state()

    def trained(self) -> GeneratorSampler:
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average)

    def feature(self, images: Tensor) -> Tensor:
        return self.pair.judge(images, None).heads["kernel"]

    def logit(self, queries: Tensor, real: Tensor, fake: Tensor, own: str = "") -> Tensor:
        """How much denser real anchors lie about each query than fake ones, [N].

        :param own: which anchors of this device, "real" or "fake", the queries are.
        """
        first, width = self.ctx.rank * len(queries), self.settings.width
        near_real = log_density(queries, real, width, first if own == "real" else None)
        return near_real - log_density(queries, fake, width, first if own == "fake" else None)

    def step(self, stream: Stream) -> None:
        pair, ctx, real = self.pair, self.ctx, stream.next().images
        n = len(real)
        fake = pair.fakes(n, None)
        of_real, of_fake = self.feature(real), self.feature(fake)
        anchors = ctx.gather(of_real), ctx.gather(of_fake)
        held = anchors[0].detach(), anchors[1].detach()
        loss = self.loss.discriminator(self.logit(of_real, *anchors, "real"), self.logit(of_fake, *anchors, "fake"))
        penalty = self.penalty.terms(lambda x: self.logit(self.feature(x), *held), real, fake, ctx.step)
        ctx.minimize(discriminator=({"adversarial": loss, **penalty}, pair.discriminator_adam))

        of_fake = self.feature(pair.made(pair.latents(n), None))
        with torch.no_grad():
            real_anchors = ctx.gather(self.feature(real))
        loss = self.loss.generator(self.logit(of_fake, real_anchors, ctx.gather(of_fake), "fake"))
        ctx.minimize(generator=(loss, pair.generator_adam))
        pair.average.update(pair.generator, ctx.step)
