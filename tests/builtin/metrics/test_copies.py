from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.builtin.metrics import copies
from harness.builtin.metrics.copies import distinct, thinned


def cloud(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


POINTS = cloud(5, 3, 0)[torch.tensor([0, 1, 0, 2, 3, 0, 1, 4, 0])]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_distinct_points_stand_for_their_copies(dtype: torch.dtype) -> None:
    points = POINTS.to(dtype)
    found = distinct(points)
    assert len(found.points) == 5
    assert torch.equal(found.points[found.which], points)
    assert found.counts[found.which].tolist() == [4, 2, 4, 1, 1, 4, 2, 1, 4]


def test_points_without_copies_are_not_moved() -> None:
    points = cloud(300, 4, 0)
    found = distinct(points)
    assert found.points is points
    assert torch.equal(found.which, torch.arange(300))
    assert thinned(points, 1)[0] is points


def test_the_last_bit_tells_points_apart_and_the_sign_of_zero_does_not() -> None:
    pair = torch.tensor([[1.0, 0.0], [1.0 + 2**-23, 0.0]])
    assert len(distinct(pair).counts) == 2
    assert len(distinct(torch.tensor([[1.0, 0.0], [1.0, -0.0]])).counts) == 1


def test_points_of_the_same_numbers_in_another_order_are_not_copies() -> None:
    assert len(distinct(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).counts) == 2


def test_one_hash_for_different_points_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_hashes", lambda points: torch.zeros(len(points), dtype=torch.int64))
    found = distinct(POINTS)
    assert len(found.points) == 5
    assert torch.equal(found.points[found.which], POINTS)


@pytest.mark.parametrize(("most", "left"), [(1, 5), (2, 7), (3, 8), (4, 9)])
def test_thinning_keeps_so_many_of_each(most: int, left: int) -> None:
    few, copy = thinned(POINTS, most)
    assert len(few) == left
    assert torch.equal(few[copy], POINTS)
