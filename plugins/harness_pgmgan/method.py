"""PGMGAN: a generator and a discriminator told partitions of the data, and a guide that keeps samples in theirs.

Armandpour, Sadeghian, Li and Zhou, CVPR 2021. The mixture of k generators is one network that is told which of them to
be, and so is the mixture of discriminators (section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Context, GeneratorSampler, Pair, Problem, Stage, Stream, sampler_of
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.graph_partition import GraphPartition
from harness_pgmgan.guide import guide, guide_weight
from harness_pgmgan.kmeans_partition import KMeansPartition
from harness_pgmgan.partition import Partition
from harness_pgmgan.random_partition import RandomPartition
from harness_pgmgan.sampler import PartitionSampler

PARTITIONINGS: Mapping[str, Callable[[PgmganSettings, Problem, Context], Partition]] = {
    "graph": GraphPartition,
    "kmeans": KMeansPartition,
    "random": RandomPartition,
}


class Pgmgan:
    """The method of one run."""

    def __init__(self, settings: PgmganSettings, problem: Problem, ctx: Context) -> None:
        self.settings = settings
        self.ctx = ctx
        self.partition = PARTITIONINGS[settings.partitioning](settings, problem, ctx)
        self.partitioner = self.partition.partitioner
        self.k = settings.partitions
        self.loss = ctx.loss(settings.loss)
        backbone = ctx.backbone(settings.backbone, problem.shape)
        networks = backbone.generator(conditions=self.k), backbone.discriminator(**self.loss.head(self.k))
        self.pair = Pair(settings, ctx, self.loss, *networks, conditions=self.k)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """Those of the partition, and the guided GAN."""
        return [*self.partition.stages(), Stage("gan", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        """The partition's, networks, optimisers and average."""
        return {**self.partition.state(), **self.pair.state()}

    def trained(self) -> GeneratorSampler:
        """The generator, told partitions as often as they occur, with samples outside of theirs drawn again."""
        generator, average, prior = self.pair.generator, self.pair.average, self.partition.prior
        if self.partitioner is None:
            return sampler_of(generator, average, self.k, prior=prior)
        return PartitionSampler.of(generator, average, self.partitioner, prior, self.settings)

    def begin(self) -> None:
        """Generator and discriminator train; the partitioner does not any more."""
        self.pair.train()
        if self.partitioner is not None:
            self.partitioner.eval().requires_grad_(False)

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """`d_steps` steps of the discriminator, one of the generator on the last of their latents and partitions."""
        for number in range(self.settings.d_steps):
            real, y = self.real(stream)
            z = self.pair.latents(len(y))
            self.discriminator_step(real, z, y, self.ctx.step * self.settings.d_steps + number)
        self.generator_step(real, z, y)
        self.pair.average.update(self.pair.generator, self.ctx.step)

    def real(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Real images and their partitions."""
        batch = stream.next()
        if self.settings.dequantise:
            batch = batch._replace(images=batch.images + self.ctx.uniform(*batch.images.shape) / 128)
        with torch.no_grad():
            return batch.images, self.partition.partitions(batch)

    def discriminator_step(self, real: Tensor, z: Tensor, y: Tensor, step: int) -> None:
        """Eq. (1) and (2): real and generated images of the same partitions."""
        pair, loss = self.pair, self.loss
        with torch.no_grad():
            fake = pair.made(z, y)
        _, real_logits, fake_logits = pair.judge_both(real, fake, y, y)
        terms = {
            "adversarial": loss.discriminator(real_logits, fake_logits, y, y),
            **pair.penalty(real, fake, y, step),
        }
        self.ctx.minimize(discriminator=(terms, pair.discriminator_adam))
        pair.regularise_discriminator(real, y, step)
        self.ctx.log(real_logit=loss.score(real_logits, y).mean(), fake_logit=loss.score(fake_logits, y).mean())

    def generator_step(self, real: Tensor, z: Tensor, y: Tensor) -> None:
        """Eq. (8): to fool the discriminator, and to stay in the partition."""
        pair = self.pair
        fake = pair.made(z, y)
        fooled = self.loss.generator(pair.judge(fake, y).score, y, pair.beside(real, y))
        terms = {"adversarial": fooled}
        settings = self.settings.guide
        if settings.weight and self.partitioner is not None:
            over = math.inf if settings.over is None else settings.over
            weight = guide_weight(self.ctx.step, settings.weight, settings.floor, over)
            outside = guide(self.partitioner(fake), y, settings.reduce)  # R_y(G(z, y)), Eq. (6)
            terms["guide"] = weight * outside.mean()
            self.ctx.log(in_partition=(outside == 0).float().mean(), guide_weight=weight)
        self.ctx.minimize(generator=(terms, pair.generator_adam))
        pair.regularise_generator(len(real), y)
