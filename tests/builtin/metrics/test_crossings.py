"""Near pairs are found whole, each on its own side of every edge, and few of them need an exact distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.metrics import crossings, distances
from harness.builtin.metrics.crossings import near_pairs
from harness.builtin.metrics.distances import Placed, exact


def cloud(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def found_pairs(a: Tensor, b: Tensor, edges_a: Sequence[Tensor], edges_b: Sequence[Tensor]) -> dict[tuple, float]:
    """What near_pairs gives, by pair; none is given twice."""
    rows = [row for i, j, squared in near_pairs(a, b, edges_a, edges_b) for row in zip(*(i, j, squared), strict=True)]
    found = {(int(i), int(j)): float(squared) for i, j, squared in rows}
    assert len(found) == len(rows)
    return found


def plain(a: Tensor, b: Tensor) -> np.ndarray:
    x, y = (points.numpy().astype(np.longdouble) for points in (a, b))
    return np.stack([((row - y) ** 2).sum(1) for row in x]).astype(float)


def full(count: int, value: float) -> Tensor:
    return torch.full((count,), value, dtype=torch.float64)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs were measured exactly, call by call."""
    counts: list[int] = []

    def counting(a: Placed, i: Tensor, b: Placed, j: Tensor) -> Tensor:
        counts.append(len(i))
        return exact(a, i, b, j)

    monkeypatch.setattr(crossings, "exact", counting)
    return counts


def test_pairs_on_a_line_are_known() -> None:
    a, b = torch.tensor([[0.0], [10.0]]), torch.tensor([[1.0], [3.0], [10.0], [17.0]])
    assert sorted(found_pairs(a, b, [full(2, 4.0)], [])) == [(0, 0), (1, 2)]
    around_b = torch.tensor([0.0, 9.0, 0.0, 50.0], dtype=torch.float64)
    assert sorted(found_pairs(a, b, [], [around_b])) == [(0, 1), (1, 2), (1, 3)]
    assert sorted(found_pairs(a, b, [full(2, 4.0)], [around_b])) == [(0, 0), (0, 1), (1, 2), (1, 3)]


def test_without_edges_nothing_is_near() -> None:
    assert found_pairs(cloud(5, 3, 0), cloud(6, 3, 1), [], []) == {}


SETS = {
    "plain": (cloud(150, 20, 0), cloud(130, 20, 1)),
    "float32": (cloud(150, 20, 0).float(), cloud(130, 20, 1).float()),
    "far out": (cloud(150, 20, 0) + 1e7, cloud(130, 20, 1) + 1e7),
    "tiny": (cloud(150, 20, 0) * 1e-30, cloud(130, 20, 1) * 1e-30),
    "huge": (cloud(150, 20, 0) * 1e30, cloud(130, 20, 1) * 1e30),
    "tight clusters": tuple(
        cloud(3, 20, 9)[torch.arange(n) % 3] + 1e-5 * cloud(n, 20, seed) for n, seed in ((150, 0), (130, 1))
    ),
    "copies": (cloud(150, 20, 0), torch.cat([cloud(150, 20, 0)[:50], cloud(80, 20, 1)])),
}


@pytest.mark.parametrize("name", SETS)
def test_every_pair_is_on_its_own_side_of_every_edge(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances.parts, "__defaults__", (64,))  # several tiles, the last ones narrower
    a, b = SETS[name]
    true = plain(a, b)
    # around each point as far as to its 3rd and 9th of the other set, and a hair to either side of that
    edges_a = [torch.from_numpy(np.sort(true, 1)[:, k] * (1 + hair)) for k, hair in ((2, 1e-9), (8, -1e-9))]
    edges_b = [torch.from_numpy(np.sort(true, 0)[k] * (1 + hair)) for k, hair in ((2, -1e-9), (8, 1e-9))]
    found = found_pairs(a, b, edges_a, edges_b)
    widest = np.maximum(torch.stack(edges_a).amax(0).numpy()[:, None], torch.stack(edges_b).amax(0).numpy())
    assert {(int(i), int(j)) for i, j in np.argwhere(true <= widest)} <= set(found)
    for (i, j), squared in found.items():
        for edge in [*(edges[i] for edges in edges_a), *(edges[j] for edges in edges_b)]:
            assert (squared < edge) == (true[i, j] < edge), (i, j)


def test_pairs_on_an_edge_have_their_very_distance() -> None:
    """Whole coordinates: many pairs lie on an edge, and squared distances are exact."""
    a, b = (torch.randint(9, (n, 2), generator=torch.Generator().manual_seed(n)).double() for n in (90, 110))
    true = plain(a, b)
    found = found_pairs(a, b, [full(90, 4.0), full(90, 25.0)], [])
    on_an_edge = {(int(i), int(j)): true[i, j] for i, j in np.argwhere((true == 4.0) | (true == 25.0))}
    assert len(on_an_edge) > 500
    assert {pair: found[pair] for pair in on_an_edge} == on_an_edge


def test_bounds_in_float32_are_enough_where_edges_are_far_from_distances(measured: list[int]) -> None:
    corners = torch.eye(100, dtype=torch.float64)  # every squared distance is 2, but for a corner from itself
    assert len(found_pairs(corners, corners, [full(100, 2.5)], [])) == 10_000
    assert sum(measured) == 0


def test_where_float32_leaves_very_many_open_float64_tells_them(measured: list[int]) -> None:
    corners = torch.eye(100, dtype=torch.float64)
    found = found_pairs(corners, corners, [full(100, 2.0 * (1 + 1e-9))], [])
    assert len(found) == 10_000
    assert max(found.values()) < 2.0 * (1 + 1e-9)
    assert sum(measured) == 0


def test_where_both_leave_a_pair_open_it_is_measured(measured: list[int]) -> None:
    corners = torch.eye(100, dtype=torch.float64)
    found = found_pairs(corners, corners, [full(100, 2.0)], [])
    apart = [squared for (i, j), squared in found.items() if i != j]
    assert apart == [2.0] * 9_900
    assert sum(measured) == 9_900  # the hundred at distance 0 are told by their bounds
