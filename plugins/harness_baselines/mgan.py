"""MGAN: a mixture of generators, and a classifier that tells them apart (Hoang, Nguyen, Le and Phung, ICLR 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Context, GeneratorSampler, Problem, Stage, Stream
from harness_baselines.config import MganSettings
from harness_baselines.mixture import Mixture
from harness_baselines.rival import rival_pair, step_discriminator, step_generator

#: the discriminator's second head, the paper's classifier C
HEAD = "generator"


class Mgan:
    """The method of one run."""

    def __init__(self, settings: MganSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.k = settings.generators
        backbone = ctx.backbone(settings.backbone, problem.shape)
        generators = Mixture([backbone.generator() for _ in range(self.k)])
        self.pair = rival_pair(settings, ctx, backbone, generators, heads={HEAD: self.k})

    def stages(self) -> list[Stage]:
        """One: the GAN."""
        return [Stage("gan", self.settings.steps, self.step, begin=self.pair.train)]

    def state(self) -> Mapping[str, Any]:
        """Networks, optimisers and average."""
        return self.pair.state()

    def trained(self) -> GeneratorSampler:
        """All generators; which of them makes a sample is drawn uniformly."""
        return GeneratorSampler.averaged(self.pair.generator, self.pair.average, self.k)

    def step(self, stream: Stream) -> None:
        """One step of discriminator and classifier, one of all generators (Eqs. 2 and 3)."""
        pair, real = self.pair, stream.next().images
        with torch.no_grad():
            fake, maker = self.fakes()
        critique = pair.judge(fake, None)
        real_logits, told_apart = pair.judge(real, None).score, F.cross_entropy(critique.heads[HEAD], maker)
        penalty = pair.penalty(real, fake, None, self.ctx.step)
        step_discriminator(pair, real_logits, critique.score, classifier=told_apart, **penalty)
        pair.regularise_discriminator(real, None, self.ctx.step, self.fakes_alone)

        fake, maker = self.fakes()
        critique = pair.judge(fake, None)
        told_apart = F.cross_entropy(critique.heads[HEAD], maker)
        more = {"classifier": self.settings.beta * told_apart}
        step_generator(pair, critique.score, real=pair.beside(real, None), **more)
        self.ctx.log(classified=(critique.heads[HEAD].argmax(1) == maker).float().mean())

    def fakes(self) -> tuple[Tensor, Tensor]:
        """n fakes of each generator from the same n latents, latent by latent: images [n K, ...], int64 [n K]."""
        n = self.ctx.share(self.settings.fakes)
        maker = torch.arange(self.k, device=self.ctx.device).repeat(n)
        return self.pair.generator.each(self.pair.latents(n), self.ctx.noise), maker

    @torch.no_grad()
    def fakes_alone(self) -> Tensor:
        """The images of :meth:`fakes`, without gradient."""
        return self.fakes()[0]
