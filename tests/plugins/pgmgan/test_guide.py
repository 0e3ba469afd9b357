"""R_i: where it is zero, where it slopes, and that it has no false bottoms over linear logits."""

from __future__ import annotations

import math

import pytest
import torch
from harness_pgmgan.guide import guide, guide_weight
from torch import Tensor

N, K = 40, 6


def draw(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(N, K, generator=generator, dtype=torch.float64)
    return logits, torch.arange(N) % K


def test_sums_what_exceeds_the_told_partition() -> None:
    logits, partition = draw()
    expected = [sum(max(0.0, c - row[i]) for c in row) for row, i in zip(logits.tolist(), partition, strict=True)]
    torch.testing.assert_close(guide(logits, partition, "sum"), torch.tensor(expected, dtype=torch.float64))


def test_the_mean_divides_by_the_number_of_classes() -> None:
    logits, partition = draw()
    torch.testing.assert_close(guide(logits, partition), guide(logits, partition, "sum") / K)


def test_never_negative_and_zero_exactly_inside_the_partition() -> None:
    logits, partition = draw()
    distance = guide(logits, partition)
    inside = logits.argmax(1) == partition
    assert 0 < inside.sum() < N
    assert (distance >= 0).all()
    assert torch.equal(distance == 0, inside)
    assert (guide(logits, logits.argmax(1)) == 0).all()


def test_outside_there_is_a_gradient_and_inside_none() -> None:
    logits, partition = draw()
    inside = logits.argmax(1) == partition
    (slope,) = torch.autograd.grad(guide(logits.requires_grad_(), partition).sum(), logits)
    steepness = slope.norm(dim=1)
    assert (steepness[inside] == 0).all()
    assert (steepness[~inside] > 0.1).all()
    assert (slope.gather(1, partition[:, None])[~inside] < 0).all()  # descending raises the logit that is told


def test_shifting_all_logits_of_a_sample_changes_nothing() -> None:
    logits, partition = draw()
    torch.testing.assert_close(guide(logits + 100.0, partition), guide(logits, partition))


def test_over_linear_logits_it_is_convex_and_descent_from_anywhere_arrives() -> None:
    # Theorem 3 with phi the identity: partitions of a 3 x 3 grid by nearest mean, whose logits are linear in x
    steps = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64)
    means = torch.cartesian_prod(steps, steps)

    def distance(x: Tensor, i: Tensor) -> Tensor:
        return guide(x @ means.T - means.square().sum(1) / 2, i)

    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(2, 500, 2, generator=generator, dtype=torch.float64) * 12 - 6
    i = torch.randint(len(means), (500,), generator=generator)
    assert (distance((x + y) / 2, i) <= (distance(x, i) + distance(y, i)) / 2 + 1e-12).all()

    assert (distance(x, i) > 0).sum() > 400
    for step in range(400):
        x.requires_grad_()
        (slope,) = torch.autograd.grad(distance(x, i).sum(), x)
        x = x.detach() - 0.3 * 0.985**step * slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-12)
    assert (distance(x, i) == 0).all()
    assert torch.equal(torch.cdist(x, means).argmin(1), i)


@pytest.mark.parametrize(
    ("update", "weight"), [(0, 6.0), (1, 5.99988), (25_000, 3.0), (49_999, 1.2e-4), (50_000, 1e-4), (10**6, 1e-4)]
)
def test_the_weight_falls_along_a_line_to_its_floor(update: int, weight: float) -> None:
    assert guide_weight(update) == pytest.approx(weight, rel=1e-6)


def test_the_weight_can_end_at_zero_stretch_stay_or_be_off() -> None:
    assert guide_weight(60_000, floor=0.0) == 0.0
    assert guide_weight(250, start=2.0, floor=0.0, over=1000) == 1.5
    assert guide_weight(10**6, start=1.0, over=math.inf) == 1.0
    assert [guide_weight(t, start=0.0) for t in (0, 10, 10**6)] == [0.0, 0.0, 0.0]
