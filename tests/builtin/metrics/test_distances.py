from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.metrics.distances import (
    COARSE,
    FINE,
    Precision,
    above,
    exact,
    lower_bounds,
    parts,
    placed,
    smallest,
)


def cloud(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def true_distances(a: Tensor, b: Tensor) -> np.ndarray:
    """In 64 bits of mantissa."""
    x, y = (points.numpy().astype(np.longdouble) for points in (a, b))
    return np.stack([((row - y) ** 2).sum(1) for row in x])


SETS = {
    "plain": (cloud(30, 700, 0), cloud(40, 700, 1)),
    "one feature": (cloud(30, 1, 0), cloud(40, 1, 1)),
    "float32": (cloud(30, 700, 0).float() + 100.0, cloud(40, 700, 1).float() + 100.0),
    "very near each other": (cloud(30, 50, 0) * 1e-6 + cloud(1, 50, 3), cloud(40, 50, 1) * 1e-6 + cloud(1, 50, 3)),
    "pairs": (cloud(30, 50, 0), cloud(30, 50, 0) + 1e-7 * cloud(30, 50, 1)),
    "far out": (cloud(30, 50, 0) + 1e8, cloud(40, 50, 1) + 1e8),
    "tiny": (cloud(30, 50, 0) * 1e-100, cloud(40, 50, 1) * 1e-100),
    "huge": (cloud(30, 50, 0) * 1e100, cloud(40, 50, 1) * 1e100),
    "below what float32 holds": (torch.cat([cloud(1, 50, 2), cloud(30, 50, 0) * 1e-30]), cloud(40, 50, 1) * 1e-30),
    "all in one place": (torch.full((5, 3), 0.1), torch.full((4, 3), 0.1)),
}


@pytest.mark.parametrize("precision", [COARSE, FINE], ids=["float32", "float64"])
@pytest.mark.parametrize("name", SETS)
def test_bounds_hold(name: str, precision: Precision) -> None:
    here, there = placed(*SETS[name])
    rows, columns = here.rows(slice(None), precision.dtype), there.rows(slice(None), precision.dtype)
    low = lower_bounds(rows, here.norms, columns, there.norms, precision)
    high = above(low, here.norms[:, None] + there.norms, rows.shape[1], precision)
    true = true_distances(*SETS[name]) * np.longdouble(here.scale) ** 2
    assert (low.double().numpy() <= true).all()
    assert (true <= high.numpy()).all()


@pytest.mark.parametrize(("precision", "width"), [(COARSE, 1e-3), (FINE, 1e-12)], ids=["float32", "float64"])
def test_bounds_are_close(precision: Precision, width: float) -> None:
    here, there = placed(cloud(30, 700, 0), cloud(40, 700, 1))
    rows, columns = here.rows(slice(None), precision.dtype), there.rows(slice(None), precision.dtype)
    low = lower_bounds(rows, here.norms, columns, there.norms, precision)
    high = above(low, here.norms[:, None] + there.norms, 700, precision)
    assert float(((high - low) / high).max()) < width


@pytest.mark.parametrize("name", SETS)
def test_exact_distances_are_exact_to_rounding(name: str) -> None:
    a, b = SETS[name]
    here, there = placed(a, b)
    i, j = torch.arange(len(a)).repeat_interleave(len(b)), torch.arange(len(b)).repeat(len(a))
    found = exact(here, i, there, j) / here.scale**2
    assert found.numpy() == pytest.approx(true_distances(a, b).reshape(-1).astype(float), rel=1e-12, abs=0)


@pytest.mark.parametrize("name", SETS)
def test_points_are_placed_without_rounding_of_the_scale_and_in_the_unit_ball(name: str) -> None:
    for points in placed(*SETS[name]):
        assert math.frexp(points.scale)[0] == 0.5
        assert float(points.norms.max()) <= 1.0
        assert points.rows(slice(2, 4), torch.float64).square().sum(1) == pytest.approx(points.norms[2:4])


def test_placing_leaves_the_points_as_they_were() -> None:
    points = cloud(20, 3, 0)
    before = points.clone()
    (here,) = placed(points)
    here.rows(slice(None), torch.float64)
    exact(here, torch.arange(20), here, torch.arange(20).flip(0))
    assert torch.equal(points, before)


def test_parts_cover_everything_once() -> None:
    assert [list(range(10))[part] for part in parts(10, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert parts(0, 4) == []


def test_the_smallest_of_each_group_in_order() -> None:
    group = torch.tensor([7, 2, 7, 7, 2, 7, 4])
    values = torch.tensor([3.0, 5.0, 1.0, 2.0, 4.0, 9.0, 0.0])
    found, best, places = smallest(group, values, 3)
    inf = float("inf")
    assert found.tolist() == [2, 4, 7]
    assert best.tolist() == [[4.0, 5.0, inf], [0.0, inf, inf], [1.0, 2.0, 3.0]]
    assert places.tolist() == [[4, 1, -1], [6, -1, -1], [2, 3, 0]]
