"""What a trained mixture can do: sample, each sample in the partition it was told, and assign data to partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn

from harness import Average, GeneratorSampler, Samples, Seeds, clamped
from harness_pgmgan.clustering import labels_of
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.rejection import Accepted, accepted, keyed_latents


class PartitionSampler(GeneratorSampler):
    """Samples whose partition is the one they were told: the latent is drawn again until it is.

    :param rounds: of redraws; 0 for none.
    """

    partitioner: nn.Module
    rounds: int
    others: Sequence[GeneratorSampler] = ()

    @classmethod
    def of(
        cls, generator: Any, average: Average[Any], partitioner: nn.Module, prior: Tensor, settings: PgmganSettings
    ) -> Self:
        """With redraws where the settings ask for them; where they ask for both, without comes second."""
        sampler = cls.averaged(generator, average, settings.partitions, prior=prior)
        sampler.partitioner = partitioner
        sampler.rounds = 0 if settings.rejection == "off" else settings.redraws
        sampler.subject = {**sampler.subject, "rejection": "off" if settings.rejection == "off" else "on"}
        if settings.rejection == "both":
            plain = GeneratorSampler.averaged(generator, average, settings.partitions, prior=prior)
            plain.subject = {**plain.subject, "rejection": "off"}
            sampler.others = (plain,)
        return sampler

    def variants(self) -> Sequence[GeneratorSampler]:
        """The same without redraws, where both are to be measured."""
        return self.others

    @torch.no_grad()
    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """One sample per seed; partitions int64 [N] as given, else drawn from pi."""
        if not self.rounds:
            return super().sample(seeds, conditions)
        told = self._told(seeds, conditions)
        assert told is not None  # a mixture has at least two generators
        found = self.drawn(seeds, told, self.rounds)
        return Samples(found.images, told, found.latents)

    def drawn(self, seeds: Seeds, told: Tensor, rounds: int) -> Accepted:
        """Samples of these partitions, and how many draws they took."""
        latents = keyed_latents(seeds, self.generator.latent_dim, told.device)

        def generate(z: Tensor, y: Tensor) -> Tensor:
            return clamped(self.made(z, y, seeds))

        return accepted(generate, self.assign, latents, told, rounds)

    def first_draws(self, seeds: Seeds) -> tuple[Tensor, Tensor]:
        """Partitions drawn from pi int64 [N], and whether the first draw of each lies there, bool [N]."""
        told = self._conditions(seeds)
        assert told is not None
        return told, self.drawn(seeds, told, 0).accepted

    @torch.no_grad()
    def assign(self, images: Tensor) -> Tensor:
        """Partition of each image or point, int64 [N]."""
        with evaluating(self.partitioner):
            return labels_of(self.partitioner(images))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """A network in eval mode, whatever the mode that batch norm is asked to sample in; put back afterwards."""
    was = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was)
