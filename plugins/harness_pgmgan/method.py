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

from harness import Average, Context, GeneratorSampler, Problem, Stage, Stream, adam
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
        backbone = ctx.backbone(settings.backbone, problem.shape)
        self.latent_dim = backbone.latent_dim
        self.generator = ctx.place(backbone.generator(conditions=self.k))
        self.discriminator = ctx.place(backbone.discriminator(conditions=self.k))
        self.generator_adam = adam(self.generator.parameters(), settings.generator_adam)
        self.discriminator_adam = adam(self.discriminator.parameters(), settings.discriminator_adam)
        self.average = Average(self.generator, settings.ema.decay, settings.ema.start)
        self.loss = ctx.loss(settings.loss)

    # -- what the loop asks for --------------------------------------------------------------------

    def stages(self) -> list[Stage]:
        """Those of the partition, and the guided GAN."""
        return [*self.partition.stages(), Stage("gan", self.settings.steps, self.step, begin=self.begin)]

    def state(self) -> Mapping[str, Any]:
        """The partition's, networks, optimisers and average."""
        return {
            **self.partition.state(),
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_adam": self.generator_adam,
            "discriminator_adam": self.discriminator_adam,
            "average": self.average,
        }

    def trained(self) -> GeneratorSampler:
        """The generator, told partitions as often as they occur, with samples outside of theirs drawn again."""
        if self.partitioner is None:
            return GeneratorSampler.averaged(self.generator, self.average, self.k, prior=self.partition.prior)
        return PartitionSampler.of(self.generator, self.average, self.partitioner, self.partition.prior, self.settings)

    def begin(self) -> None:
        """Generator and discriminator train; the partitioner does not any more."""
        self.generator.train()
        self.discriminator.train()
        if self.partitioner is not None:
            self.partitioner.eval().requires_grad_(False)

    # -- one iteration -----------------------------------------------------------------------------

    def step(self, stream: Stream) -> None:
        """`d_steps` steps of the discriminator, one of the generator on the last of their latents and partitions."""
        for _ in range(self.settings.d_steps):
            real, y = self.real(stream)
            z = self.ctx.latents(len(y), self.latent_dim)
            self.discriminator_step(real, z, y)
        self.generator_step(z, y)
        self.average.update(self.generator, self.ctx.step)

    def real(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Real images and their partitions."""
        batch = stream.next()
        if self.settings.dequantise:
            batch = batch._replace(images=batch.images + torch.rand_like(batch.images) / 128)
        with torch.no_grad():
            return batch.images, self.partition.partitions(batch)

    def discriminator_step(self, real: Tensor, z: Tensor, y: Tensor) -> None:
        """Eq. (1) and (2): real and generated images of the same partitions."""
        with torch.no_grad():
            fake = self.generator(z, y)
        real_logits, fake_logits = self.discriminator(torch.cat([real, fake]), torch.cat([y, y])).score.chunk(2)
        terms = {"adversarial": self.loss.discriminator(real_logits, fake_logits)}
        self.ctx.minimize(discriminator=(terms, self.discriminator_adam))
        self.ctx.log(real_logit=real_logits.mean(), fake_logit=fake_logits.mean())

    def generator_step(self, z: Tensor, y: Tensor) -> None:
        """Eq. (8): to fool the discriminator, and to stay in the partition."""
        fake = self.generator(z, y)
        terms = {"adversarial": self.loss.generator(self.discriminator(fake, y).score)}
        settings = self.settings.guide
        if settings.weight and self.partitioner is not None:
            over = math.inf if settings.over is None else settings.over
            weight = guide_weight(self.ctx.step, settings.weight, settings.floor, over)
            outside = guide(self.partitioner(fake), y, settings.reduce)  # R_y(G(z, y)), Eq. (6)
            terms["guide"] = weight * outside.mean()
            self.ctx.log(in_partition=(outside == 0).float().mean(), guide_weight=weight)
        self.ctx.minimize(generator=(terms, self.generator_adam))
