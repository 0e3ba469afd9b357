from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.builtin.metrics import radii
from harness.builtin.metrics.distances import Placed
from harness.builtin.metrics.radii import Shortlists, squared_radii


def cloud(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain(points: Tensor, k: int) -> Tensor:
    squared = torch.stack([(row - points.double()).square().sum(1) for row in points.double()])
    return squared.sort(1).values[:, k]


def test_radii_on_a_line_are_known() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    found = squared_radii(line, [1, 2])
    assert found[1].sqrt().tolist() == pytest.approx([1, 1, 2, 4])
    assert found[2].sqrt().tolist() == pytest.approx([3, 2, 3, 6])


@pytest.mark.parametrize("count", [6, 7, 10, 11, 300, 1025])
def test_equal_plain_differences_whatever_the_count(count: int) -> None:
    points = cloud(count, 20, 0)
    for k, found in squared_radii(points, [1, 3, 5]).items():
        assert found == pytest.approx(plain(points, k), rel=1e-12, abs=0)


def test_points_that_come_ever_nearer_are_all_found() -> None:
    """Sorted towards the centre, so that each tile holds nearer neighbours than the one before."""
    points = cloud(1500, 6, 0)
    points = points[points.norm(dim=1).argsort(descending=True)]
    assert squared_radii(points, [5])[5] == pytest.approx(plain(points, 5), rel=1e-12, abs=0)


@pytest.mark.parametrize("width", [1e-3, 1e-5, 1e-7, 1e-9])
def test_clusters_too_tight_for_float32_are_resolved(width: float) -> None:
    points = cloud(4, 10, 0)[torch.arange(400) % 4] + width * cloud(400, 10, 1)
    assert squared_radii(points, [3])[3] == pytest.approx(plain(points, 3), rel=1e-12, abs=0)


def test_copies_are_neighbours_at_distance_zero() -> None:
    points = torch.cat([cloud(50, 8, 0), cloud(1, 8, 1).repeat(4, 1), cloud(1, 8, 2).repeat(200, 1)])
    for k, found in squared_radii(points, [3, 5]).items():
        assert found == pytest.approx(plain(points, k), rel=1e-12, abs=0)
    assert squared_radii(points, [3])[3][50:].tolist() == [0.0] * 204


def test_many_points_at_one_distance_need_no_exact_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corners of a simplex: every distance is the same, and float64 bounds tell that it is."""

    def measured(a: Placed, i: Tensor, b: Placed, j: Tensor) -> Tensor:
        assert len(i) == 0
        return torch.empty(0, dtype=torch.float64)

    monkeypatch.setattr(radii, "exact", measured)
    corners = torch.eye(200, dtype=torch.float64)
    assert squared_radii(corners, [3])[3] == pytest.approx(torch.full((200,), 2.0), rel=1e-12)


def test_a_shortlist_keeps_the_smallest_of_all_it_has_seen() -> None:
    bounds = cloud(3, 40, 0).float()
    lists = Shortlists(3, 4, torch.device("cpu"))
    for start, stop in ((30, 40), (0, 2), (2, 30)):
        lists.see(slice(0, 3), bounds[:, start:stop], start)
    best, others = bounds.topk(4, largest=False)
    assert torch.equal(lists.bounds, best)
    assert torch.equal(lists.others, others)
