"""k-means: held against scikit-learn and against slow loops, and the same to the bit."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from harness import clustering
from harness.clustering import Clustering, followed, k_means, lloyd, matching, means, nearest


def cloud(n: int = 400, size: int = 5, seed: int = 0) -> Tensor:
    """Points without clear clusters, far from the origin."""
    return 3.0 * torch.randn(n, size, generator=torch.Generator().manual_seed(seed)) + 100.0


def test_iterations_end_where_scikit_learns_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "BLOCK", 256)  # several blocks
    points = cloud()
    first = points[:7].clone()
    found = lloyd(points, first)
    known = KMeans(7, init=first.double().numpy(), n_init=1, algorithm="lloyd").fit(points.double().numpy())
    assert torch.equal(found.labels, torch.from_numpy(known.labels_).long())
    torch.testing.assert_close(found.centres.double(), torch.from_numpy(known.cluster_centers_), atol=1e-3, rtol=0)
    assert found.inertia.item() == pytest.approx(known.inertia_, rel=1e-4)


def test_separate_clusters_are_found() -> None:
    truth = torch.arange(20).repeat_interleave(30)
    angle = 2 * torch.pi * truth / 20
    points = torch.stack([angle.cos(), angle.sin()], 1) + 0.01 * cloud(600, 2)
    found = k_means(points, 20, 10, seed=0)
    assert adjusted_rand_score(truth.numpy(), found.labels.numpy()) == 1.0
    assert torch.equal(found.histogram(), torch.full((20,), 0.05))


def test_the_best_of_several_starts_is_kept() -> None:
    points = cloud(200)
    once, often = ([float(k_means(points, 12, restarts, seed).inertia) for seed in range(4)] for restarts in (1, 5))
    assert all(few >= many for few, many in zip(once, often, strict=True))
    assert sum(once) > sum(often)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    first, again, other = (k_means(cloud(), 9, 2, seed) for seed in (4, 4, 5))
    assert torch.equal(first.centres, again.centres)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.centres, other.centres)


def test_the_nearest_centre_is_the_one_of_the_smallest_distance() -> None:
    points, centres = cloud() - 100.0, cloud(11, seed=1) - 100.0
    labels, squared = nearest(points, centres)
    distances = torch.cdist(points.double(), centres.double()).square()
    assert torch.equal(labels, distances.argmin(1))
    torch.testing.assert_close(squared.double(), distances.amin(1), atol=1e-3, rtol=1e-4)


def test_an_empty_cluster_gets_the_point_farthest_from_its_own_mean() -> None:
    points = torch.tensor([[0.0], [1.0], [8.0], [10.0], [30.0]])
    found = means(points, torch.tensor([0, 0, 2, 2, 2]), 4)
    # means 0.5 and 16; 30 lies 14 off, 8 lies 8 off
    assert found.tolist() == [[0.5], [30.0], [16.0], [8.0]]


def test_the_matching_keeps_as_many_numbers_as_any_could() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        new, old = (torch.randint(4, (30,), generator=generator) for _ in range(2))
        found = matching(new, old, 4)
        best = max(int((torch.tensor(order)[new] == old).sum()) for order in permutations(range(4)))
        assert sorted(found.tolist()) == [0, 1, 2, 3]
        assert int((found[new] == old).sum()) == best


def test_clusters_that_are_followed_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    old = torch.arange(5).repeat_interleave(20)
    points = 50.0 * old[:, None].float() + cloud(100, 1) - 100.0
    order = torch.tensor([3, 0, 4, 1, 2])

    def renumbered(points: Tensor, centres: Tensor) -> Clustering:
        found = lloyd(points, centres)
        return Clustering(found.centres[order.argsort()], order[found.labels], found.inertia)

    monkeypatch.setattr(clustering, "lloyd", renumbered)
    found = followed(points, old, 5)
    assert torch.equal(found.labels, old)
    assert torch.equal(nearest(points, found.centres)[0], old)


def test_following_starts_from_the_clusters_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    points, old, started = cloud(60, 3), torch.arange(60) % 4, []

    def seen(points: Tensor, centres: Tensor) -> Clustering:
        started.append(centres)
        return lloyd(points, centres)

    monkeypatch.setattr(clustering, "lloyd", seen)
    followed(points, old, 4)
    expected = torch.stack([points[old == label].mean(0) for label in range(4)])
    torch.testing.assert_close(started[0], expected)
