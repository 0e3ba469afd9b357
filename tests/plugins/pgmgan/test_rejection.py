"""Redraws with a toy generator on the line, whose chance to be accepted is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from harness_pgmgan.rejection import Accepted, accepted, keyed_latents
from torch import Tensor

from harness.randomness import Seeds

CPU = torch.device("cpu")
#: the chance that a standard normal exceeds 1
ABOVE_ONE = 0.5 * math.erfc(1 / math.sqrt(2))


def generate(latents: Tensor, conditions: Tensor) -> Tensor:
    """A point: z for condition 0, always accepted with z^2 for 1, never for 2."""
    z = latents[:, 0]
    return torch.stack([z, z.square() + 10, z - 100])[conditions, torch.arange(len(z))][:, None]


def partition_of(points: Tensor) -> Tensor:
    """0 from 1 to 10, 1 above, 3 below (nobody is told 3)."""
    x = points[:, 0]
    return torch.where(x >= 10, 1, torch.where(x > 1, 0, 3))


def block(conditions: Tensor, first: int = 0, rounds: int = 21, seed: int = 5) -> Accepted:
    seeds = Seeds(seed, range(first, first + len(conditions)))
    return accepted(generate, partition_of, keyed_latents(seeds, 2, CPU), conditions, rounds)


def test_the_draws_that_a_sample_takes_follow_the_geometric_law() -> None:
    n, rounds = 3000, 6
    done = block(torch.zeros(n, dtype=torch.int64), rounds=rounds)
    for most in range(1, rounds + 2):
        expected = 1 - (1 - ABOVE_ONE) ** most
        found = (done.accepted & (done.draws <= most)).double().mean()
        assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / n)
    assert done.at_first.double().mean() == pytest.approx(ABOVE_ONE, abs=0.03)
    assert int(done.draws.max()) == rounds + 1
    assert (done.draws[~done.accepted] == rounds + 1).all()
    assert 0 < (~done.accepted).sum() < n


def test_accepted_samples_follow_the_law_within_their_partition() -> None:
    done = block(torch.zeros(3000, dtype=torch.int64))
    x = done.images[done.accepted, 0]
    mean = math.exp(-0.5) / math.sqrt(2 * math.pi) / ABOVE_ONE  # of a standard normal above 1
    assert float(x.min()) > 1
    assert float(x.mean()) == pytest.approx(mean, abs=0.05)


def test_what_is_kept_belongs_together() -> None:
    conditions = torch.arange(60) % 3
    done = block(conditions)
    torch.testing.assert_close(generate(done.latents, conditions), done.images, rtol=0, atol=0)
    assert torch.equal(done.accepted, partition_of(done.images) == conditions)
    assert (done.draws[conditions == 1] == 1).all()
    assert (done.draws[conditions == 2] == 22).all()  # the hopeless keep their last draw
    assert not done.accepted[conditions == 2].any()
    seeds = Seeds(5, range(60))
    for row in (2, 5):
        last = seeds.subset(np.array([row])).normal("latent, redraw 21", 2)
        assert torch.equal(done.latents[row], last[0])


def test_a_sample_does_not_depend_on_the_others() -> None:
    conditions = torch.arange(60) % 3
    together = block(conditions)
    for row in (0, 1, 2, 33, 59):
        alone = block(conditions[row : row + 1], first=row)
        assert torch.equal(alone.images[0], together.images[row])
        assert torch.equal(alone.latents[0], together.latents[row])
        assert alone.draws[0] == together.draws[row]
    changed = conditions.clone()
    changed[1::2] = 2
    assert torch.equal(block(changed).images[::2], together.images[::2])


def test_redraws_are_new_and_another_seed_draws_others() -> None:
    seeds = Seeds(5, range(4))
    latent_of = keyed_latents(seeds, 3, CPU)
    rows = np.arange(4)
    rounds = torch.stack([latent_of(number, rows) for number in range(5)])
    assert rounds.flatten(0, 1).unique(dim=0).shape == (20, 3)
    assert torch.equal(rounds[0], seeds.normal("latent", 3))
    assert torch.equal(latent_of(3, np.array([2])), rounds[3, 2:3])
    assert not torch.equal(keyed_latents(Seeds(6, range(4)), 3, CPU)(0, rows), rounds[0])


def test_without_rounds_nothing_is_redrawn() -> None:
    conditions = torch.zeros(50, dtype=torch.int64)
    done = block(conditions, rounds=0)
    assert (done.draws == 1).all()
    assert torch.equal(done.images, generate(Seeds(5, range(50)).normal("latent", 2), conditions))
    assert torch.equal(done.at_first, done.accepted)


def test_the_generator_always_sees_the_whole_block_and_rests_when_all_are_accepted() -> None:
    sizes: list[int] = []

    def watched(latents: Tensor, conditions: Tensor) -> Tensor:
        sizes.append(len(latents))
        return generate(latents, conditions)

    conditions = torch.arange(40) % 2
    latent_of = keyed_latents(Seeds(5, range(40)), 2, CPU)
    done = accepted(watched, partition_of, latent_of, conditions, rounds=500)
    assert done.accepted.all()
    assert sizes == [40] * int(done.draws.max())


def test_an_accepted_image_stays_as_it_was_made() -> None:
    def of_its_batch(latents: Tensor, conditions: Tensor) -> Tensor:
        """Like batch norm in training mode: a row depends on the others."""
        return generate(latents, conditions) + 1e-3 * latents.mean()

    conditions = torch.zeros(40, dtype=torch.int64)
    latent_of = keyed_latents(Seeds(5, range(40)), 2, CPU)
    once = accepted(of_its_batch, partition_of, latent_of, conditions, rounds=0)
    done = accepted(of_its_batch, partition_of, latent_of, conditions)
    assert torch.equal(done.at_first, once.accepted)
    assert torch.equal(done.images[done.at_first], once.images[once.accepted])


def test_bytes_of_a_sample_are_the_same_whichever_neighbours_a_real_network_redraws() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(2, 33), torch.nn.ReLU(), torch.nn.BatchNorm1d(33), torch.nn.Linear(33, 2)
    )
    network.eval()

    def points(latents: Tensor, conditions: Tensor) -> Tensor:
        with torch.no_grad():
            made: Tensor = network(latents)
        return made + conditions[:, None]

    def half(x: Tensor) -> Tensor:
        return (x[:, 0] > x[:, 1]).long()

    seeds = Seeds(5, range(64))
    conditions = torch.arange(64) % 2
    done = accepted(points, half, keyed_latents(seeds, 2, CPU), conditions)
    other = conditions.clone()
    other[:32] = 7  # nobody's partition: the first half is redrawn in every round
    again = accepted(points, half, keyed_latents(seeds, 2, CPU), other)
    assert (done.draws[32:] > 1).any()
    assert torch.equal(done.images[32:], again.images[32:])
