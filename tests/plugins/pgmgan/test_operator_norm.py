"""The cap against norms found in other ways: a matrix written out by hand, singular value decompositions, ARPACK."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness_pgmgan.operator_norm import (
    CONVOLUTION,
    MATRIX,
    CappedConv,
    CappedLinear,
    power_iteration,
    settle_norms,
)
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor, nn

CAP = 0.9


def dense(weight: Tensor, height: int, width: int) -> Tensor:
    """The matrix [O H W, I H W] of a convolution with zeros around the map, entry by entry."""
    outputs, inputs, rows, columns = weight.shape
    matrix = torch.zeros(outputs, height, width, inputs, height, width, dtype=weight.dtype)
    for o, i, a, b in itertools.product(range(outputs), range(inputs), range(rows), range(columns)):
        for y, x in itertools.product(range(height), range(width)):
            from_y, from_x = y + a - rows // 2, x + b - columns // 2
            if 0 <= from_y < height and 0 <= from_x < width:
                matrix[o, y, x, i, from_y, from_x] = weight[o, i, a, b]
    return matrix.view(outputs * height * width, inputs * height * width)


def sigma(made: CappedConv | CappedLinear) -> float:
    return made.limit.sigma(made.weight).item()


def norm(weight: Tensor, height: int, width: int) -> float:
    return torch.linalg.matrix_norm(dense(weight.detach(), height, width), ord=2).item()


def conv(
    inputs: int, outputs: int, kernel: int, size: tuple[int, int], scale: float = 1.0, steps: int = 5
) -> CappedConv:
    torch.manual_seed(0)
    made = CappedConv(inputs, outputs, kernel, size, cap=CAP, iterations=steps).double()
    with torch.no_grad():
        made.weight.mul_(scale)
    return made


def test_the_matrix_written_by_hand_is_the_convolution() -> None:
    made = conv(2, 3, 3, (4, 5))
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(dense(made.weight, 4, 5) @ x.flatten(), CONVOLUTION.apply(made.weight, x).flatten())


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 3)])
def test_sigma_of_a_convolution_is_the_largest_singular_value_of_its_matrix(size: tuple[int, int]) -> None:
    made = conv(2, 3, 3, size, scale=3.0)
    settle_norms(made, 500)
    assert sigma(made) == pytest.approx(norm(made.weight, *size), rel=1e-6)


def test_sigma_on_a_larger_map_is_what_arpack_finds() -> None:
    made = conv(8, 6, 3, (16, 16))
    settle_norms(made, 2000)

    def apply(x: np.ndarray) -> np.ndarray:
        y = F.conv2d(torch.from_numpy(x).view(1, 8, 16, 16), made.weight, padding=1)
        return y.detach().flatten().numpy()

    def transpose(y: np.ndarray) -> np.ndarray:
        # the transpose as the gradient of the convolution, not as the layer computes it
        x = torch.zeros(1, 8, 16, 16, dtype=torch.float64, requires_grad=True)
        out = F.conv2d(x, made.weight, padding=1)
        return torch.autograd.grad(out, x, torch.from_numpy(y).view_as(out))[0].flatten().numpy()

    operator = LinearOperator((6 * 256, 8 * 256), matvec=apply, rmatvec=transpose, dtype=np.float64)
    expected = svds(operator, k=1, return_singular_vectors=False, random_state=0)[0]
    assert sigma(made) == pytest.approx(expected, rel=1e-5)


def test_the_norm_of_the_operator_is_not_that_of_the_kernel_as_a_matrix() -> None:
    made = conv(2, 3, 3, (4, 4))
    settle_norms(made, 500)
    kernel = float(torch.linalg.matrix_norm(made.weight.detach().flatten(1), ord=2))
    assert abs(sigma(made) - kernel) > 0.1 * kernel


@pytest.mark.parametrize("layer", ["pixelwise", "linear"])
def test_sigma_of_matrices_is_their_largest_singular_value(layer: str) -> None:
    torch.manual_seed(0)
    made: CappedConv | CappedLinear = (
        conv(7, 5, 1, (4, 4)) if layer == "pixelwise" else CappedLinear(7, 5, cap=CAP, iterations=5).double()
    )
    settle_norms(made, 500)
    expected = float(torch.linalg.svdvals(made.weight.detach().flatten(1))[0])
    assert sigma(made) == pytest.approx(expected, rel=1e-9)
    assert made.limit.v.shape == (7,)


@pytest.mark.parametrize("kernel", [1, 3])
def test_the_cap_holds_after_steps_that_push_the_weights_up(kernel: int) -> None:
    torch.manual_seed(0)
    made = CappedConv(4, 6, kernel, (5, 5), cap=CAP, iterations=5)
    sgd = torch.optim.SGD(made.parameters(), lr=0.05)
    x = torch.randn(8, 4, 5, 5)
    for _ in range(30):
        sgd.zero_grad()
        # towards longer outputs, and the weight itself grows
        (-made(x).square().mean() - made.weight.square().sum()).backward()
        sgd.step()
    made.eval()
    assert norm(made.weight, 5, 5) > 2.0
    # from below, and the last step moved the weight after the last iteration
    assert norm(made.limit(made.weight), 5, 5) == pytest.approx(CAP, abs=1e-2)
    settle_norms(made)
    assert CAP - 1e-5 <= norm(made.limit(made.weight), 5, 5) <= CAP + 1e-3


def test_the_cap_holds_for_linear_layers_after_steps_that_push_the_weights_up() -> None:
    torch.manual_seed(0)
    made = CappedLinear(6, 8, cap=CAP, iterations=5)
    sgd = torch.optim.SGD(made.parameters(), lr=0.05)
    for _ in range(30):
        sgd.zero_grad()
        (-made(torch.randn(16, 6)).square().mean() - made.weight.square().sum()).backward()
        sgd.step()
    made.eval()
    assert norm(made.weight[..., None, None], 1, 1) > 2.0
    assert norm(made.limit(made.weight)[..., None, None], 1, 1) == pytest.approx(CAP, abs=1e-2)
    settle_norms(made)
    assert CAP - 1e-5 <= norm(made.limit(made.weight)[..., None, None], 1, 1) <= CAP + 1e-3


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_layer_below_the_cap_is_the_ordinary_one_to_the_bit(kernel: int) -> None:
    made = conv(3, 4, kernel, (4, 4), scale=0.1)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    for _ in range(3):
        assert torch.equal(made(x), F.conv2d(x, made.weight, made.bias, padding=kernel // 2))


def test_a_layer_above_the_cap_is_scaled_and_its_bias_is_not() -> None:
    made = conv(3, 4, 3, (4, 4), scale=10.0)
    settle_norms(made, 2000)
    made.eval()
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    scaled = made.weight * CAP / norm(made.weight, 4, 4)
    torch.testing.assert_close(made(x), F.conv2d(x, scaled, made.bias, padding=1), rtol=1e-6, atol=1e-8)


def test_the_gradient_passes_through_sigma() -> None:
    made = conv(2, 3, 3, (3, 3), scale=5.0)
    settle_norms(made, 2000)
    made.eval()
    direction = torch.randn_like(made.weight)
    (found,) = torch.autograd.grad(made.limit(made.weight), made.weight, direction)

    weight = made.weight.detach().clone().requires_grad_()
    largest = torch.linalg.matrix_norm(
        F.conv2d(torch.eye(18).double().view(18, 2, 3, 3), weight, padding=1).flatten(1), 2
    )
    (expected,) = torch.autograd.grad(weight * CAP / largest, weight, direction)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)
    # W / sigma(W) does not change along W
    assert abs((found * made.weight).sum().item()) < 1e-9


def test_power_iteration_finds_the_singular_vector() -> None:
    torch.manual_seed(0)
    weight = torch.randn(5, 4, dtype=torch.float64)
    v = power_iteration(MATRIX, weight, F.normalize(torch.randn(4, dtype=torch.float64), dim=0), 200)
    first = torch.linalg.svd(weight).Vh[0]
    torch.testing.assert_close(v * (v @ first).sign(), first)


def test_each_training_pass_makes_the_stated_number_of_iterations() -> None:
    made = conv(2, 3, 3, (4, 4), steps=2)
    start = made.limit.v.clone()
    made(torch.randn(1, 2, 4, 4, dtype=torch.float64))
    expected, matrix = start, dense(made.weight.detach(), 4, 4)
    for _ in range(2):
        expected = F.normalize(matrix.T @ (matrix @ expected.flatten()), dim=0)
    torch.testing.assert_close(made.limit.v.flatten(), expected)


def test_eval_mode_iterates_nothing_and_uses_the_weight_of_now() -> None:
    made = conv(2, 3, 3, (4, 4), scale=5.0).eval()
    kept = made.limit.v.clone()
    first = made.limit(made.weight)
    with torch.no_grad():
        made.weight.mul_(2.0)
    torch.testing.assert_close(made.limit(made.weight), first)  # sigma doubled with it
    assert torch.equal(made.limit.v, kept)


def test_an_earlier_pass_can_be_differentiated_after_a_later_one() -> None:
    made = conv(2, 3, 3, (4, 4), scale=5.0)
    x = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    made.eval()
    (alone,) = torch.autograd.grad(made(x).square().sum(), made.weight)
    loss = made(x).square().sum()
    made.train()
    made(x)
    (later,) = torch.autograd.grad(loss, made.weight)
    assert torch.equal(later, alone)


def test_weights_of_zero_leave_the_vector_alone() -> None:
    made = conv(2, 3, 3, (4, 4), scale=0.0)
    kept = made.limit.v.clone()
    out = made(torch.randn(1, 2, 4, 4, dtype=torch.float64))
    assert torch.equal(made.limit.v, kept)
    (gradient,) = torch.autograd.grad(out.sum(), made.weight)
    assert gradient.isfinite().all()


def test_the_norm_is_taken_in_full_precision_under_autocast() -> None:
    made, other = (conv(4, 4, 3, (4, 4), scale=5.0).float() for _ in range(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = made(torch.randn(2, 4, 4, 4))
        found = made.eval().limit(made.weight)
    other.limit(other.weight)
    assert out.dtype == torch.bfloat16
    assert found.dtype == torch.float32
    assert torch.equal(made.limit.v, other.limit.v)
    assert torch.equal(found, other.eval().limit(other.weight))


def test_vectors_are_saved() -> None:
    made, other = conv(2, 3, 3, (4, 4)), conv(2, 3, 3, (4, 4))
    made(torch.randn(1, 2, 4, 4, dtype=torch.float64))
    assert not torch.equal(made.limit.v, other.limit.v)
    other.load_state_dict(made.state_dict())
    assert torch.equal(made.limit.v, other.limit.v)


def test_settling_reaches_every_capped_layer_and_moves_no_weight() -> None:
    net = nn.Sequential(conv(2, 3, 3, (4, 4)), nn.ELU(), conv(3, 2, 1, (4, 4)), nn.Flatten())
    net.append(CappedLinear(32, 4, cap=CAP, iterations=5).double())
    weights = [p.clone() for p in net.parameters()]
    vectors = [b.clone() for b in net.buffers()]
    settle_norms(net, 20)
    assert len(vectors) == 3
    assert not any(torch.equal(a, b) for a, b in zip(vectors, net.buffers(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))
