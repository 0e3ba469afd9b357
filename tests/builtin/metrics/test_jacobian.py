from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from linear_latents import matrix
from torch import Tensor, nn

from harness.builtin.metrics.jacobian import (
    DIRECTIONS,
    backward_jacobians,
    forward_jacobians,
    jacobians,
    squared_singular_values,
)

BOTH = pytest.mark.parametrize("jacobian", [forward_jacobians, backward_jacobians, jacobians])
Jacobians = Callable[..., dict[str, Tensor]]


class Doubled(torch.autograd.Function):
    """A part of a network that knows its backward pass alone, as custom kernels do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2.0 * x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return 2.0 * grad


def network(seed: int = 0) -> nn.Module:
    """The parts that generators are made of, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = nn.Sequential(
            nn.Linear(6, 2 * 4 * 4),
            nn.Unflatten(1, (2, 4, 4)),
            nn.BatchNorm2d(2),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 3, 3, padding=1)),
            nn.InstanceNorm2d(3),
            nn.ConvTranspose2d(3, 1, 4, 2, 1),
            nn.Tanh(),
        )
    return made.eval()


@BOTH
def test_a_linear_map_is_its_own_jacobian(jacobian: Jacobians) -> None:
    a = matrix(2 * DIRECTIONS + 3, 10)
    found = jacobian(lambda z: {"a": z @ a, "b": (z @ a[:, :4]).reshape(1, 2, 2)}, matrix(1, len(a), seed=1))
    assert torch.allclose(found["a"], a, atol=1e-5)
    assert torch.allclose(found["b"], a[:, :4], atol=1e-5)


@BOTH
def test_agrees_with_torch_on_a_network(jacobian: Jacobians) -> None:
    net, at = network().double(), matrix(1, 6, seed=1).double()
    oracle = torch.autograd.functional.jacobian(net, at).reshape(-1, 6).T
    found = jacobian(lambda z: {"images": net(z)}, at)["images"]
    assert found.shape == (6, 16 * 16)
    assert torch.allclose(found, oracle, atol=1e-10)
    assert not found.requires_grad


def test_a_part_without_a_forward_derivative_is_followed_backward() -> None:
    net, at = network().double(), matrix(1, 6, seed=1).double()

    def outputs(z: Tensor) -> Mapping[str, Tensor]:
        return {"images": net(Doubled.apply(z))}

    with pytest.raises(RuntimeError):
        forward_jacobians(outputs, at)
    oracle = torch.autograd.functional.jacobian(lambda z: net(2.0 * z), at).reshape(-1, 6).T
    with torch.no_grad():
        assert torch.allclose(jacobians(outputs, at)["images"], oracle, atol=1e-10)


def test_an_error_of_the_network_itself_is_not_hidden() -> None:
    def outputs(z: Tensor) -> Mapping[str, Tensor]:
        raise RuntimeError("the network's own")

    with pytest.raises(RuntimeError, match="the network's own"):
        jacobians(outputs, torch.zeros(1, 3))


@pytest.mark.filterwarnings("error")
def test_torch_s_own_deprecations_are_not_the_user_s() -> None:
    net = network()
    forward_jacobians(lambda z: {"images": net(z)}, torch.ones(1, 6))


@BOTH
def test_an_output_that_does_not_hang_on_the_latent_has_jacobian_zero(jacobian: Jacobians) -> None:
    found = jacobian(lambda z: {"still": torch.ones(1, 5), "times zero": 0.0 * z}, torch.ones(1, 3))
    assert torch.equal(found["still"], torch.zeros(3, 5))
    assert torch.equal(found["times zero"], torch.zeros(3, 3))


@BOTH
def test_noise_drawn_inside_is_the_same_along_every_direction(jacobian: Jacobians) -> None:
    def outputs(z: Tensor) -> Mapping[str, Tensor]:
        torch.manual_seed(7)
        return {"images": z * torch.randn(z.shape)}

    torch.manual_seed(7)
    factor = torch.randn(1, 40)
    assert torch.allclose(jacobian(outputs, torch.ones(1, 40))["images"], torch.diag(factor[0]))


@pytest.mark.parametrize(("rows", "columns"), [(6, 40), (40, 6), (7, 7)])
def test_squares_agree_with_a_singular_value_decomposition(rows: int, columns: int) -> None:
    oracle = torch.linalg.svdvals(matrix(rows, columns).double()).square()
    assert torch.allclose(squared_singular_values(matrix(rows, columns)), oracle, rtol=1e-9)
