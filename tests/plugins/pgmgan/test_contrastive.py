"""InfoNCE against a slow loop and in its limits."""

from __future__ import annotations

import math

import pytest
import torch
from harness_pgmgan.contrastive import info_nce
from torch import Tensor

N, WIDTH = 7, 5


def draw(seed: int = 0) -> tuple[Tensor, Tensor]:
    a, b = torch.randn(2, N, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return a, b


def slowly(a: Tensor, b: Tensor, temperature: float) -> float:
    views = [*a, *b]
    likeness = [[float(u @ v / (u.norm() * v.norm())) / temperature for v in views] for u in views]
    total = 0.0
    for i, row in enumerate(likeness):
        positive = (i + len(a)) % len(views)
        total -= row[positive] - math.log(sum(math.exp(value) for j, value in enumerate(row) if j != i))
    return total / len(views)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_equals_a_loop_over_all_anchors(temperature: float) -> None:
    a, b = draw()
    assert float(info_nce(a, b, temperature)) == pytest.approx(slowly(a, b, temperature), rel=1e-12)


def test_both_views_count_alike_and_lengths_do_not_count() -> None:
    a, b = draw()
    loss = info_nce(a, b, 0.5)
    torch.testing.assert_close(info_nce(b, a, 0.5), loss)
    torch.testing.assert_close(info_nce(3.0 * a, 0.1 * b, 0.5), loss)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(info_nce(a[order], b[order], 0.5), loss)
    assert abs(info_nce(a, b[order], 0.5) - loss) > 1e-3  # other pairs, another loss


def test_where_all_views_are_alike_every_other_one_is_as_likely() -> None:
    same = torch.ones(N, WIDTH)
    torch.testing.assert_close(info_nce(same, same, 0.1), torch.tensor(math.log(2 * N - 1)))


def test_equal_pairs_that_are_perpendicular_to_all_others() -> None:
    apart = torch.eye(N, dtype=torch.float64)
    temperature = 0.5
    expected = math.log(math.exp(1 / temperature) + 2 * N - 2) - 1 / temperature
    assert float(info_nce(apart, apart, temperature)) == pytest.approx(expected, rel=1e-12)


def test_every_embedding_gets_a_gradient() -> None:
    a, b = draw()
    slopes = torch.autograd.grad(info_nce(a.requires_grad_(), b.requires_grad_(), 0.1), (a, b))
    assert all((slope.norm(dim=1) > 0).all() and torch.isfinite(slope).all() for slope in slopes)
    for view, slope in zip((a, b), slopes, strict=True):  # a cosine does not change along its own direction
        torch.testing.assert_close((view * slope).sum(1), torch.zeros(N, dtype=torch.float64), atol=1e-12, rtol=0)
