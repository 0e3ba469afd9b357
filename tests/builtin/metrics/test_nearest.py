from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from harness.builtin.metrics import distances
from harness.builtin.metrics.nearest import nearest
from harness.errors import EvaluationError


def points(count: int, size: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, size))).float()


def test_it_finds_what_a_tree_finds_across_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances.parts, "__defaults__", (64,))
    queries, among = points(200, seed=1), points(300)
    found = nearest(queries, among, 5)
    away, which = cKDTree(among.double().numpy()).query(queries.double().numpy(), 5)
    np.testing.assert_array_equal(found.which.numpy(), which)
    np.testing.assert_allclose(found.squared.sqrt().numpy(), away, rtol=1e-12)


def test_a_point_is_no_neighbour_of_itself_when_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances.parts, "__defaults__", (64,))
    among = points(150)
    some = torch.tensor([3, 149, 64, 70])
    found = nearest(among[some], among, 2, leaving_out=some)
    away, which = cKDTree(among.double().numpy()).query(among[some].double().numpy(), 3)
    np.testing.assert_array_equal(found.which.numpy(), which[:, 1:])
    np.testing.assert_allclose(found.squared.sqrt().numpy(), away[:, 1:], rtol=1e-12)


def test_copies_are_at_distance_zero_exactly_however_far_out() -> None:
    among = points(100) * 1e-3 + 1e4
    found = nearest(among[[7, 50]], among, 1)
    assert found.which[:, 0].tolist() == [7, 50]
    assert found.squared.tolist() == [[0.0], [0.0]]


def test_near_ties_far_out_are_told_apart() -> None:
    among = torch.arange(40, dtype=torch.float64)[:, None] * 1e-6 + torch.tensor([1e3, -1e3], dtype=torch.float64)
    found = nearest(among[20:21] + 1e-7, among, 3)
    assert found.which.tolist() == [[20, 21, 19]]


def test_what_products_cannot_tell_apart_is_told_by_differences() -> None:
    steps = torch.arange(5, dtype=torch.float64) * 1e-3
    among = torch.cat([1e6 + steps, -1e6 - steps])[:, None]  # their squares, 1e12, keep no digit of a step's, 1e-6
    assert nearest(among[:5] + 1e-4, among, 1).which[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_of_equals_the_first_is_taken() -> None:
    among = torch.tensor([[5.0], [1.0], [-1.0], [1.0]])
    found = nearest(torch.zeros(1, 1), among, 3)
    assert found.which.tolist() == [[1, 2, 3]]
    assert found.squared.tolist() == [[1.0, 1.0, 1.0]]


def test_of_very_many_equals_some_are_named_once_each_with_their_own_distance() -> None:
    among = torch.cat([points(30) + 100.0, torch.ones(50, 6)])
    found = nearest(torch.zeros(1, 6), among, 3)
    assert len(set(found.which[0].tolist())) == 3
    assert int(found.which.min()) >= 30
    assert found.squared.tolist() == [[6.0, 6.0, 6.0]]


def test_too_few_points_are_refused() -> None:
    with pytest.raises(EvaluationError, match="the 2 nearest of 1 points cannot be found"):
        nearest(points(2), points(2), 2, leaving_out=torch.tensor([0, 1]))
