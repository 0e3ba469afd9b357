"""No division at all: every image gets another number whenever it is seen, and nothing is learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.random_partition import RandomPartition

from harness import Batch, Problem, Stream
from harness.catalog import Catalog
from harness.training.loop import Training
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

Train = Callable[..., Training]

K = 5
CPU = torch.device("cpu")


@pytest.fixture
def partition(catalog: Catalog) -> RandomPartition:
    off = {"partitioning": "random", "guide": {"weight": 0}, "rejection": "off"}
    settings = PgmganSettings.model_validate({"partitions": K, **off})
    problem = Problem("any", "images", (1, 8, 8), (), 100)
    return RandomPartition(settings, problem, RunContext(catalog, Runtime(CPU), 0))


def batch(n: int) -> Batch:
    return Batch(torch.zeros(n, 1, 8, 8), None, torch.arange(n))


def test_random_numbers_are_drawn_anew_and_need_no_stage(train: Train) -> None:
    training = train("digits", "sngan-random")
    assert [stage.name for stage in training.stages] == ["gan"]
    method: Any = training.method
    method.begin()
    stream = Stream(training.data, training.settings.batch_size, (0, "gan"))
    batch = stream.next()
    drawn = torch.stack([method.partition.partitions(batch) for _ in range(50)])
    assert drawn.unique().tolist() == list(range(method.k))
    assert len(drawn[:, 0].unique()) > 1  # of one and the same image
    trained = method.trained()
    assert (trained.n_conditions, trained.subject) == (method.k, {"weights": "ema"})
    assert not hasattr(trained, "assign")


def test_nothing_is_learned_and_nothing_is_kept(partition: RandomPartition) -> None:
    assert partition.stages() == []
    assert partition.state() == {}
    assert partition.partitioner is None


def test_every_number_is_as_likely_for_every_image(partition: RandomPartition) -> None:
    torch.manual_seed(0)
    drawn = torch.stack([partition.partitions(batch(4)) for _ in range(2000)])
    for image in drawn.T:
        torch.testing.assert_close(image.bincount(minlength=K) / 2000, partition.prior, atol=0.04, rtol=0)
    agreeing = (drawn[:, 0] == drawn[:, 1]).float().mean()
    assert float(agreeing) == pytest.approx(1 / K, abs=0.04)  # whatever its neighbour got


def test_a_step_that_is_repeated_draws_the_same_numbers(partition: RandomPartition) -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(3)  # as the loop does before each step
        found.append(partition.partitions(batch(50)))
    assert torch.equal(*found)


def test_two_devices_draw_the_halves_of_what_one_draws(partition: RandomPartition, monkeypatch: pytest.MonkeyPatch):
    def drawn(n: int, rank: int, world: int) -> torch.Tensor:
        monkeypatch.setattr(partition.ctx, "rank", rank)
        monkeypatch.setattr(partition.ctx, "world", world)
        torch.manual_seed(3)
        return partition.partitions(batch(n))

    assert torch.equal(torch.cat([drawn(25, 0, 2), drawn(25, 1, 2)]), drawn(50, 0, 1))
