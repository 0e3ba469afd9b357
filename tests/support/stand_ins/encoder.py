"""A discriminator with an encoder head, and latents scaled by their second moments as the encoder finds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness import Average, Context, GeneratorSampler, Pair, Problem, Seeds, Stage, Stream
from harness.contracts import Discriminator, Reconstructions
from stand_ins.config import EncoderSettings


def scale_of(v: Tensor) -> Tensor:
    """Second moments [d] to scales sqrt(d v / sum v), [d]."""
    return (len(v) * v / v.sum()).sqrt()


class EncoderSampler(GeneratorSampler):
    """Samples from scaled latents, rebuilds images and scores outliers."""

    encoder: Discriminator
    v: Tensor

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "encoder": self.encoder}

    def made(self, latents: Tensor, told: Tensor | None, seeds: Seeds) -> Tensor:
        return super().made(latents * self.latent_scale(), told, seeds)

    def latent_scale(self) -> Tensor:
        return scale_of(self.v)

    def reconstruct(self, images: Tensor) -> Reconstructions:
        z = self.encoder(images).heads["latent"]
        return Reconstructions(self.generate(z, 0), z)

    def outlier_scores(self, images: Tensor) -> Mapping[str, Tensor]:
        rebuilt, z = self.reconstruct(images)
        squares, v = z.double().square(), self.v.double()
        nll = 0.5 * (squares / v + (2 * math.pi * v).log()).sum(1)
        return {"nll": nll, "reconstruction": (rebuilt - images).square().flatten(1).mean(1)}


class Encoder:
    """The method of one run."""

    def __init__(self, settings: EncoderSettings, problem: Problem, ctx: Context) -> None:
        self.settings, self.ctx = settings, ctx
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        d = backbone.latent_dim
        discriminator = backbone.discriminator(**self.loss.head(0), heads={"latent": d})
        self.pair = Pair(settings, ctx, self.loss, backbone.generator(), discriminator)
        self.encoder = Average(self.pair.discriminator, settings.ema.decay, settings.ema.start)
        self.v = torch.ones(d, device=ctx.device)

    def stages(self) -> list[Stage]:
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        return {**self.pair.state(), "encoder": self.encoder, "v": self.v}

    def trained(self) -> EncoderSampler:
        sampler = EncoderSampler.averaged(self.pair.generator, self.pair.average)
        sampler.encoder, sampler.v = self.encoder.module, self.v
        return sampler

    def step(self, stream: Stream) -> None:
        pair, ctx, real, s = self.pair, self.ctx, stream.next().images, scale_of(self.v)
        n = len(real)
        z = pair.latents(n)
        with torch.no_grad():
            fake = pair.made(z * s, None)
        critiques, real_logits, fake_logits = pair.judge_both(real, fake, None, None)
        found = critiques[-1].heads["latent"][-n:]
        terms = {
            "adversarial": self.loss.discriminator(real_logits, fake_logits),
            "encoder": ((z - found) * s).square().mean(),
            **pair.penalty(real, fake, None, ctx.step),
        }
        ctx.minimize(discriminator=(terms, pair.discriminator_adam))

        z = pair.latents(n)
        critique = pair.judge(pair.made(z * s, None), None)
        again = critique.heads["latent"]
        terms = {"adversarial": self.loss.generator(critique.score), "encoder": ((z - again) * s).square().mean()}
        ctx.minimize(generator=(terms, pair.generator_adam))

        squares = torch.cat([found, again]).detach().square().mean(0)
        self.v.lerp_(ctx.mean(squares), 1 - self.settings.decay)
        pair.average.update(pair.generator, ctx.step)
        self.encoder.update(pair.discriminator, ctx.step)
