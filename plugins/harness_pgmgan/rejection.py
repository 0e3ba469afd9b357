"""Sampling with redraws: a sample that falls outside of the partition it was told gets another latent."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.randomness import Seeds

#: rounds of redraws after the first draw, as in the authors' sampling
ROUNDS = 21

#: (latents [N, d], conditions int64 [N]) to images [N, ...]
Generate = Callable[[Tensor, Tensor], Tensor]
#: (round, 0 for the first draw; rows int64 [M] of the block) to latents [M, d]
Latents = Callable[[int, np.ndarray], Tensor]


class Accepted(NamedTuple):
    """A block of samples after redraws.

    :ivar images: float [N, ...].
    :ivar latents: float [N, d], those that the images were made from.
    :ivar draws: int64 [N], how many latents each sample took, 1 to rounds + 1.
    :ivar accepted: bool [N], whether the image lies in the partition it was told; False where the last draw was kept.
    """

    images: Tensor
    latents: Tensor
    draws: Tensor
    accepted: Tensor

    @property
    def at_first(self) -> Tensor:
        """Whether the first draw was accepted, bool [N]; its mean is the acceptance rate."""
        return self.accepted & (self.draws == 1)


def accepted(
    generate: Generate,
    partition_of: Callable[[Tensor], Tensor],
    latent_of: Latents,
    conditions: Tensor,
    rounds: int = ROUNDS,
) -> Accepted:
    """Samples whose partition is the one they were told: z is drawn again until R_y(G(z, y)) = 0 (Eq. (2)).

    The condition y of a sample stays, so that conditions keep their law pi. After `rounds` redraws, the last is kept.

    Every round runs generator and partitioner on the whole block, in which samples accepted before keep their latents,
    and only the rejected rows of the result are taken. So each sample's arithmetic has the same shape and place in its
    block, whichever others are rejected, and in eval mode its bytes depend on its own draws alone; with batch norm in
    training mode, a redrawn sample is normalised along with a full block. The price: up to `rounds` + 1 times the work
    of plain sampling where some partitions are missed often. Nothing runs once all are accepted.

    :param generate: the generator, in the mode that the caller set.
    :param partition_of: images to the partitioner's choice, int64 [N] (argmax of its logits, which is R = 0).
    :param latent_of: see :func:`keyed_latents`; asked for the rejected rows only.
    :param conditions: y, int64 [N], on the generator's device.
    :param rounds: at least 0; 0 only says what would be rejected.
    """
    rejected = np.arange(len(conditions))
    latents = latent_of(0, rejected)
    images = generate(latents, conditions)
    met = partition_of(images) == conditions
    draws = torch.ones_like(conditions)
    for number in range(1, rounds + 1):
        rejected = (~met).nonzero()[:, 0].cpu().numpy()
        if len(rejected) == 0:
            break
        rows = torch.from_numpy(rejected).to(conditions.device)
        latents = latents.index_copy(0, rows, latent_of(number, rejected))
        made = generate(latents, conditions)
        images = images.index_copy(0, rows, made[rows])
        draws[rows] += 1
        met = met.index_copy(0, rows, partition_of(made)[rows] == conditions[rows])
    return Accepted(images, latents, draws, met)


def keyed_latents(seeds: Seeds, dim: int, device: torch.device) -> Latents:
    """Standard normal latents of numbered samples, each keyed by (run seed, round, its number).

    A sample's latents are the same whichever others are drawn, and those of the first draw are what plain sampling
    would feed the generator.

    :param seeds: of the block.
    :param dim: d.
    """

    def latent_of(number: int, rows: np.ndarray) -> Tensor:
        purpose = "latent" if number == 0 else f"latent, redraw {number}"
        return seeds.subset(rows).normal(purpose, dim).to(device)

    return latent_of
