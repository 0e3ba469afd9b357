"""The coder's properties: limits, the closed form of its Jacobian, bounds, invariances (float64 throughout)."""

from __future__ import annotations

import math

import pytest
import torch
from harness_lcsa.coders import (
    affinities,
    code_perplexity,
    dead_share,
    decode,
    hard_assignment,
    local_soft_assignment,
    soft_assignment,
)
from torch import Tensor

C, K, NEAR, SIGMA = 5, 12, 4, 0.9


def draw(seed: int = 0, n: int = 7) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, C, generator=generator, dtype=torch.float64)
    m = torch.randn(K, C, generator=generator, dtype=torch.float64)
    return x, m


def h(x: Tensor, m: Tensor, sigma: float = SIGMA, near: int = NEAR) -> Tensor:
    return decode(local_soft_assignment(x, m, sigma, near), m)


def jacobian(x: Tensor, m: Tensor, sigma: float = SIGMA, near: int = NEAR) -> Tensor:
    """d h / d x at one feature x [c], by autograd."""
    return torch.autograd.functional.jacobian(lambda row: h(row[None], m, sigma, near)[0], x)


def spread(x: Tensor, m: Tensor, sigma: float = SIGMA, near: int = NEAR) -> tuple[Tensor, Tensor]:
    """Codes of one feature x [c] on its active atoms, and those atoms relative to h(x)."""
    codes = local_soft_assignment(x[None], m, sigma, near)[0]
    active = codes > 0
    return codes[active], m[active] - codes @ m


def test_affinities_are_the_exponents_up_to_a_constant_of_each_feature() -> None:
    x, m = draw()
    exponents = -torch.cdist(x, m).square() / (2 * SIGMA**2)
    shift = affinities(x, m, SIGMA) - exponents
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))


def test_codes_lie_on_the_simplex_over_the_nearest_atoms() -> None:
    x, m = draw()
    codes = local_soft_assignment(x, m, SIGMA, NEAR)
    distances = torch.cdist(x, m)
    assert (codes >= 0).all()
    torch.testing.assert_close(codes.sum(1), torch.ones(len(x), dtype=torch.float64))
    assert ((codes > 0).sum(1) == NEAR).all()
    torch.testing.assert_close(codes.argmax(1), distances.argmin(1))
    farthest_active = torch.where(codes > 0, distances, 0.0).amax(1)
    nearest_inactive = torch.where(codes > 0, torch.inf, distances).amin(1)
    assert (farthest_active < nearest_inactive).all()


def test_never_more_than_the_allowed_neighbours_even_among_equal_atoms() -> None:
    x, m = draw()
    codes = local_soft_assignment(x, m[:1].expand(K, C), SIGMA, NEAR)
    assert ((codes > 0).sum(1) == NEAR).all()


def test_equals_a_masked_softmax_over_all_atoms() -> None:
    x, m = draw()
    distances = torch.cdist(x, m).square()
    cut = distances.kthvalue(NEAR, dim=1, keepdim=True).values
    masked = (-distances / (2 * SIGMA**2)).masked_fill(distances > cut, -torch.inf).softmax(1)
    torch.testing.assert_close(local_soft_assignment(x, m, SIGMA, NEAR), masked)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 10.0])
def test_one_neighbour_is_hard_assignment_at_any_spread(sigma: float) -> None:
    x, m = draw()
    codes = local_soft_assignment(x, m, sigma, 1)
    assert torch.equal(codes, hard_assignment(x, m))
    assert torch.equal(codes.argmax(1), torch.cdist(x, m).argmin(1))


def test_all_neighbours_is_soft_assignment() -> None:
    x, m = draw()
    expected = (-torch.cdist(x, m).square() / (2 * SIGMA**2)).softmax(1)
    torch.testing.assert_close(local_soft_assignment(x, m, SIGMA, K), expected)
    torch.testing.assert_close(soft_assignment(x, m, SIGMA), expected)


def test_a_wide_spread_averages_the_nearest_atoms() -> None:
    x, m = draw()
    nearest = torch.cdist(x, m).topk(NEAR, largest=False).indices
    torch.testing.assert_close(h(x, m, sigma=1e6), m[nearest].mean(1), atol=1e-8, rtol=0)


def test_a_narrow_spread_takes_the_nearest_atom() -> None:
    x, m = draw()
    torch.testing.assert_close(local_soft_assignment(x, m, 1e-3, NEAR), hard_assignment(x, m))


def test_jacobian_is_the_covariance_of_the_atoms_over_sigma_squared() -> None:
    x, m = draw()
    for row in x:
        codes = local_soft_assignment(row[None], m, SIGMA, NEAR)[0]
        closed = m.T @ (codes.diag() - torch.outer(codes, codes)) @ m / SIGMA**2  # Eq. (36)
        weights, offsets = spread(row, m)
        centred = torch.einsum("j,jc,jd->cd", weights, offsets, offsets) / SIGMA**2  # Eq. (35)
        found = jacobian(row, m)
        torch.testing.assert_close(found, closed, atol=1e-9, rtol=0)
        torch.testing.assert_close(found, centred, atol=1e-9, rtol=0)


def test_jacobian_is_symmetric_positive_and_of_low_rank() -> None:
    x, m = draw()
    for row in x:
        found = jacobian(row, m)
        weights, offsets = spread(row, m)
        eigenvalues = torch.linalg.eigvalsh(found)
        torch.testing.assert_close(found, found.T, atol=1e-12, rtol=0)
        assert eigenvalues.min() >= -1e-12
        torch.testing.assert_close(found.trace(), (weights * offsets.square().sum(1)).sum() / SIGMA**2)
        assert torch.linalg.matrix_rank(found, atol=1e-10) <= NEAR - 1


def test_jacobian_is_bounded_by_the_diameter_of_the_active_atoms() -> None:
    x, m = draw(seed=1, n=40)
    for row in x:
        found = jacobian(row, m)
        _, offsets = spread(row, m)
        largest = torch.linalg.eigvalsh(found).max()
        diameter = torch.cdist(offsets, offsets).max()
        reach = offsets.square().sum(1).max()
        assert largest <= reach / SIGMA**2 <= diameter**2 / SIGMA**2  # Claim 4
        assert largest <= diameter**2 / (4 * SIGMA**2)  # a variance is at most a quarter of the squared range

        column_sums = found.abs().sum(0).max()
        l1, linf = offsets.abs().sum(1), offsets.abs().amax(1)
        diameter_1 = torch.cdist(offsets, offsets, p=1).max()
        assert column_sums <= (l1 * linf).max() / SIGMA**2 <= diameter_1**2 / SIGMA**2


def test_features_with_the_same_neighbours_are_coded_no_farther_apart_than_the_bound() -> None:
    x, m = draw(seed=2)
    near = x + 1e-2 * torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    active = local_soft_assignment(x, m, SIGMA, NEAR) > 0
    same = (active == (local_soft_assignment(near, m, SIGMA, NEAR) > 0)).all(1)
    assert same.sum() >= 3
    for row, other, atoms in zip(x[same], near[same], active[same], strict=True):
        diameter = torch.cdist(m[atoms], m[atoms]).max()
        moved = (h(row[None], m) - h(other[None], m)).norm()
        assert 0 < moved <= diameter**2 / SIGMA**2 * (row - other).norm()


def test_moving_across_the_span_of_few_atoms_changes_nothing() -> None:
    x, m = draw()
    m = m[:C]  # five atoms in five dimensions leave one direction perpendicular to their affine hull
    perpendicular = torch.linalg.svd(m[1:] - m[0]).Vh[-1]
    moved = x + 3.0 * perpendicular
    torch.testing.assert_close(h(moved, m, near=C), h(x, m, near=C), atol=1e-13, rtol=0)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(h(x + 3.0 * (m[1] - m[0]), m, near=C), h(x, m, near=C))


def test_two_atoms_share_by_a_sigmoid() -> None:
    x, m = draw()
    m = m[:2]
    d1, d2 = torch.cdist(x, m).square().unbind(1)
    codes = local_soft_assignment(x, m, SIGMA, 2)
    torch.testing.assert_close(codes[:, 0], torch.sigmoid((d2 - d1) / (2 * SIGMA**2)))
    at_midpoint = torch.linalg.eigvalsh(jacobian(m.mean(0), m, near=2)).max()
    torch.testing.assert_close(at_midpoint, (m[0] - m[1]).square().sum() / (4 * SIGMA**2))


def test_rotating_shifting_and_scaling_everything_does_the_same_to_the_coded_feature() -> None:
    x, m = draw()
    rotation = torch.linalg.qr(torch.randn(C, C, dtype=torch.float64)).Q
    shift, scale = torch.randn(C, dtype=torch.float64), 2.5
    there = h(scale * x @ rotation + shift, scale * m @ rotation + shift, sigma=scale * SIGMA)
    torch.testing.assert_close(there, scale * h(x, m) @ rotation + shift)


def test_the_coded_feature_jumps_where_a_neighbour_changes_but_soft_assignment_does_not() -> None:
    m = torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
    left, right = torch.tensor([[-1e-9]], dtype=torch.float64), torch.tensor([[1e-9]], dtype=torch.float64)
    # at 0 the second neighbour changes from -1 to 1, and with it the whole second share of h
    share = 1 / (1 + math.exp(1 / (2 * SIGMA**2)))
    jump = h(right, m, near=2) - h(left, m, near=2)
    torch.testing.assert_close(jump, torch.full_like(jump, 2 * share), atol=1e-8, rtol=0)
    torch.testing.assert_close(h(right, m, near=3), h(left, m, near=3), atol=1e-8, rtol=0)


def test_derivatives_of_the_entropy() -> None:
    x, m = draw()
    x = x[0]

    def entropy(row: Tensor) -> Tensor:
        return torch.special.entr(soft_assignment(row[None], m, SIGMA)).sum()

    delta = (x - m).square().sum(1) / SIGMA**2  # [k]
    p = soft_assignment(x[None], m, SIGMA)[0]
    q = p * delta / (p * delta).sum()
    mean = p @ delta
    gradient = mean * (q @ m - p @ m) / (2 * SIGMA**2)
    torch.testing.assert_close(torch.autograd.functional.jacobian(entropy, x), gradient, atol=1e-10, rtol=0)

    offsets = m - p @ m
    under_p, under_q = (torch.einsum("j,jc,jd->cd", w, offsets, offsets) for w in (p, q))
    hessian = (mean * under_q - (2 + mean) * under_p) / (2 * SIGMA**4)
    torch.testing.assert_close(torch.autograd.functional.hessian(entropy, x), hessian, atol=1e-7, rtol=0)


def test_derivative_of_the_reconstruction_error_in_sigma() -> None:
    x, m = draw()
    row = x[0]
    codes = local_soft_assignment(row[None], m, SIGMA, NEAR)[0]
    squared = (row - m).square().sum(1)
    y = codes @ m
    mean = codes @ squared
    closed = -(2 / SIGMA**3) * (row - y) @ ((codes * (squared - mean)) @ m)  # Claim 3
    step = 1e-6

    def error(sigma: float) -> Tensor:
        return (row - h(row[None], m, sigma)[0]).square().sum()

    numerical = (error(SIGMA + step) - error(SIGMA - step)) / (2 * step)
    torch.testing.assert_close(closed, numerical, rtol=1e-6, atol=1e-8)


def test_codes_can_be_differentiated_twice() -> None:
    x, m = draw(n=3)
    assert torch.autograd.gradgradcheck(lambda rows: h(rows, m), x.requires_grad_())


def test_a_feature_is_coded_the_same_in_any_batch() -> None:
    x, m = draw(n=9)
    together = local_soft_assignment(x, m, SIGMA, NEAR)
    apart = torch.cat([local_soft_assignment(row[None], m, SIGMA, NEAR) for row in x])
    torch.testing.assert_close(together, apart)


def test_perplexity_counts_equal_sharers() -> None:
    codes = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]])
    torch.testing.assert_close(code_perplexity(codes), torch.tensor(4.0))
    torch.testing.assert_close(code_perplexity(torch.eye(4)), torch.tensor(1.0))


def test_dead_share_counts_atoms_that_nobody_uses() -> None:
    codes = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    torch.testing.assert_close(dead_share(codes), torch.tensor(0.5))
