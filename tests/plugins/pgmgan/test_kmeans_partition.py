"""Points divided as k-means divides them: which points are clustered, what the network is taught, and pi."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_pgmgan.kmeans_partition import first_points
from torch import Tensor

from harness import Stream
from harness.contracts.data import Law
from harness.data import LawData, TrainingData
from harness.errors import SettingsError
from harness.training.loop import Training

Train = Callable[..., Training]

CPU = torch.device("cpu")
#: of four heaps that nobody could divide otherwise
MIDDLES = torch.tensor([[-9.0, 0.0], [9.0, 0.0], [0.0, 9.0], [0.0, -9.0]])


@pytest.fixture(scope="module")
def ring(train: Train) -> Training:
    return train("ring2d")


def test_points_are_divided_as_k_means_divides_them_and_counted_whole(ring: Training) -> None:
    partition: Any = ring.method.partition  # type: ignore[attr-defined]
    batch = ring.data.at(torch.arange(5000))
    with torch.no_grad():
        labels = partition.partitioner.eval()(batch.images).argmax(1)
    assert batch.labels is not None
    pairs = torch.stack([labels, batch.labels], 1).unique(dim=0)
    assert len(pairs) == len(labels.unique()) == 8  # one partition a mode
    # 400 points were clustered; their own shares are off by 14 %, those of 50,000 by 1.3 %
    assert (partition.prior * 8 - 1).abs().max() < 0.05


@pytest.fixture
def heaps(prepare: Train) -> Any:
    """A division into four that has not begun; it clusters 40 points."""
    training: Any = prepare("ring2d", partitions=4, points={"points": 40, "batch_size": 40})
    return training.method.partition


def points(n: int) -> tuple[TrainingData, Tensor]:
    """Points about :data:`MIDDLES` in any order, and the heap of each."""
    random = torch.Generator().manual_seed(0)
    heap, noise = torch.randperm(n, generator=random) % 4, torch.randn(n, 2, generator=random)
    return TrainingData(MIDDLES[heap] + noise, None, 0, CPU), heap


@pytest.mark.parametrize(
    ("dataset", "settings", "said"),
    [
        ("digits", {"partitioning": "kmeans"}, "partitions points, and data set 'digits' holds images"),
        ("ring2d", {"partitions": 8, "points": {"points": 7}}, "7 points cannot make 8 partitions; --set points.poi"),
    ],
)
def test_what_does_not_fit_together_is_refused(prepare: Train, dataset: str, settings: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        prepare(dataset, **settings)


def test_the_first_points_are_labelled_with_their_clusters(heaps: Any) -> None:
    data, heap = points(60)
    found = heaps.clustered(data)
    assert torch.equal(found.values, data.values[:40])
    assert found.n_classes == 4
    pairs = torch.stack([found.labels, heap[:40]], 1).unique(dim=0)
    assert len(pairs) == len(found.labels.unique()) == 4
    # a run that is resumed makes them again
    assert torch.equal(heaps.clustered(data).labels, found.labels)


def test_a_step_is_one_of_cross_entropy_on_the_clusters(heaps: Any) -> None:
    data, _ = points(60)
    labelled = heaps.clustered(data)
    heaps.begin()
    with torch.no_grad():
        chance = heaps.partitioner(labelled.values).softmax(1)
        expected = -chance[torch.arange(40), labelled.labels].log().mean()
    heaps.step(Stream(labelled, 1, (0, "partition")))
    noted = heaps.ctx.meters.drain()
    assert noted["partition/cross_entropy"] == pytest.approx(float(expected), rel=1e-5)


def test_pi_is_counted_in_all_points_and_written_where_it_was(heaps: Any) -> None:
    data, _ = points(60)
    heaps.clustered(data)
    with torch.no_grad():  # the part of a point is its nearest middle
        heaps.partitioner.weight.copy_(MIDDLES)
        heaps.partitioner.bias.zero_()
    skewed = MIDDLES[torch.tensor([0] * 70 + [1] * 20 + [3] * 10)]
    heaps.whole = TrainingData(skewed, None, 0, CPU)
    prior = heaps.prior
    heaps.count(data)
    assert heaps.prior is prior
    assert prior.tolist() == pytest.approx([0.7, 0.2, 0.0, 0.1])
    assert not heaps.partitioner.training


def test_the_first_points_of_an_endless_law_are_as_many_as_asked_for_and_of_finite_data_as_many_as_there_are() -> None:
    data, _ = points(10)
    assert torch.equal(first_points(data, 4), data.values[:4])
    assert torch.equal(first_points(data, 99), data.values)
    law = LawData(Law(lambda rng, n: (rng.random((n, 2)), rng.integers(2, size=n)), ("a", "b"), "uniform"), 0, CPU)
    assert torch.equal(first_points(law, 99), law.at(torch.arange(99)).images)
