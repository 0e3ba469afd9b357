"""Walks down the guide, on guides written by hand; those on partitioners taught the grid are Figure 3's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from guides_by_hand import never, two_halves
from harness_pgmgan.descent import descend, lowest_around, slope, step_length
from harness_pgmgan.figure3 import random_walks
from harness_pgmgan.guide import guide
from torch import Tensor, nn


def saddle(points: Tensor) -> Tensor:
    """R_0 = (9 + x^2 - y^2) / 2 within |y| <= 3."""
    return torch.stack([torch.zeros(len(points)), 9.0 + points[:, 0] ** 2 - points[:, 1] ** 2], 1)


def zeros(n: int) -> Tensor:
    return torch.zeros(n, dtype=torch.int64)


@pytest.mark.parametrize("steps", [1, 7, 300])
def test_steps_add_up_to_the_budget_and_fall_along_a_line(steps: int) -> None:
    lengths = np.array([step_length(step, steps, 60.0) for step in range(steps)])
    assert lengths.sum() == pytest.approx(60.0)
    assert (lengths > 0).all()
    np.testing.assert_allclose(np.diff(lengths), -2 * 60.0 / steps**2)


def test_slope_by_finite_differences() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 5)).double()
    points, partition = torch.randn(30, 2, dtype=torch.float64), torch.arange(30) % 5
    found = slope(net, points, partition)
    torch.testing.assert_close(found.distance, guide(net(points), partition))
    for axis in torch.eye(2, dtype=torch.float64):
        ahead, behind = (guide(net(points + h * axis), partition) for h in (1e-6, -1e-6))
        torch.testing.assert_close(found.gradient @ axis, (ahead - behind) / 2e-6, atol=1e-6, rtol=0)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_walk_goes_straight_down_as_far_as_its_path_is_long() -> None:
    starts = torch.tensor([[4.0, 2.0], [2.0, -1.0], [0.5, 3.0]])
    walked = descend(two_halves, starts, zeros(3), steps=100, budget=2.0)
    assert walked.reached.tolist() == [False, True, True]
    torch.testing.assert_close(walked.ends[:, 1], starts[:, 1])  # R_0 does not depend on y
    assert walked.ends[0, 0].item() == pytest.approx(2.0, abs=1e-5)
    assert 1.0 - step_length(0, 100, 2.0) <= walked.ends[1, 0] <= 1.0  # it stops as soon as R_0 is 0
    assert torch.equal(walked.ends[2], starts[2])
    assert torch.equal(starts, torch.tensor([[4.0, 2.0], [2.0, -1.0], [0.5, 3.0]]))


def test_the_last_step_counts() -> None:
    assert descend(two_halves, torch.tensor([[2.0, 0.0]]), zeros(1), steps=1, budget=1.5).reached.all()
    assert not descend(two_halves, torch.tensor([[2.0, 0.0]]), zeros(1), steps=1, budget=0.5).reached.any()


def test_a_walk_to_an_empty_partition_ends_at_the_lowest_point() -> None:
    walked = descend(never, torch.tensor([[3.0, -2.0], [0.0, 1.0]]), zeros(2), steps=500, budget=20.0)
    assert not walked.reached.any()
    assert (walked.ends.norm(dim=1) < 1e-3).all()


def test_a_walk_stays_where_there_is_no_slope() -> None:
    def flat(points: Tensor) -> Tensor:
        return torch.stack([0.0 * points[:, 0], 0.0 * points[:, 0] + 1.0], 1)

    start = torch.tensor([[1.0, 2.0]])
    walked = descend(flat, start, zeros(1), steps=10)
    assert torch.equal(walked.ends, start)
    assert not walked.reached.any()


def test_the_lowest_value_on_a_circle() -> None:
    points = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, -1.0]])
    expected = [(1 + 0.25) / 2, (1 + 1.5**2) / 2, (1 + 0.5**2) / 2]
    assert lowest_around(never, points, zeros(3), 0.5).tolist() == pytest.approx(expected)
    # at a saddle the gradient is zero too, and it goes down along y
    assert lowest_around(saddle, points[:1], zeros(1), 0.5).item() == pytest.approx((9 - 0.25) / 2)
    here = slope(saddle, points[:1], zeros(1))
    assert here.gradient.norm() == 0
    assert here.distance > lowest_around(saddle, points[:1], zeros(1), 0.5)


def test_a_partition_without_points_has_a_guide_with_a_false_bottom_even_if_logits_are_linear() -> None:
    """What theorem 3 needs beside an expanding map: that there is a place with R_i = 0 at all."""
    means = torch.tensor([[-2.0, 0.0], [2.0, 1.0], [0.5, -3.0], [0.0, 0.0]])
    bias = torch.tensor(
        [0.0, 0.0, 0.0, -1.0]
    )  # 0 is a mixture of the other means: the last never has the largest logit

    def logits(points: Tensor) -> Tensor:
        return points @ means.T + bias

    torch.manual_seed(100)
    starts, _ = random_walks(50, 4)
    partition = torch.full((50,), 3)
    walked = descend(logits, starts, partition)
    assert not walked.reached.any()
    distance = slope(logits, walked.ends, partition).distance
    assert (distance > 0.1).all()
    assert (lowest_around(logits, walked.ends, partition, 0.1) > distance).all()
    assert descend(logits, starts, torch.arange(50) % 3).reached.all()
