"""Partitioners of points: what each is, and that each learns k-means labels."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from harness_pgmgan.invertible import InvertibleNet, ResidualBlock
from harness_pgmgan.operator_norm import CappedLinear, settle_norms
from harness_pgmgan.point_partitioner import Kind, point_partitioner
from torch import nn

from harness import SettingsError

KINDS: tuple[Kind, ...] = ("linear", "mlp", "invertible")


def made(kind: Kind, dim: int = 2, k: int = 5) -> nn.Module:
    torch.manual_seed(0)
    return point_partitioner(kind, dim, k)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [2, 3])
def test_points_to_logits_also_on_the_meta_device(kind: Kind, dim: int) -> None:
    assert made(kind, dim)(torch.randn(11, dim)).shape == (11, 5)
    with torch.device("meta"):
        assert point_partitioner(kind, dim, 5)(torch.empty(11, dim)).shape == (11, 5)


def test_sizes() -> None:
    count = {kind: sum(p.numel() for p in made(kind, 2, 25).parameters()) for kind in KINDS}
    block = (2 * 32 + 32) + (32 * 32 + 32) + (32 * 2 + 2) + 2 * 2
    assert count == {
        "linear": 2 * 25 + 25,
        "mlp": (2 * 10 + 10) + (10 * 20 + 20) + (20 * 25 + 25),
        "invertible": 4 * block + 2 * 25 + 25,
    }


def test_the_linear_one_is_affine_and_the_others_are_not() -> None:
    x, y = torch.randn(2, 20, 2)
    for kind in KINDS:
        net = made(kind).eval()
        bent = (net((x + y) / 2) - (net(x) + net(y)) / 2).abs().max()
        assert (bent < 1e-5) == (kind == "linear")


def test_the_mlp_written_out() -> None:
    net, x = made("mlp"), torch.randn(50, 2)
    (w1, b1), (w2, b2), (w3, b3) = (layer.parameters() for layer in net.children() if isinstance(layer, nn.Linear))
    hidden = ((x @ w1.T + b1).clamp_min(0) @ w2.T + b2).clamp_min(0)
    torch.testing.assert_close(net(x), hidden @ w3.T + b3)


def test_the_invertible_one_is_linear_in_phi() -> None:
    net = made("invertible")
    phi, head = net.children()
    assert isinstance(phi, InvertibleNet)
    assert isinstance(head, nn.Linear)
    assert sum(isinstance(layer, ResidualBlock) for layer in phi.layers) == 4
    torch.manual_seed(0)
    x = torch.randn(50, 2)
    net(x)
    settle_norms(net, 200)
    net.eval()
    torch.testing.assert_close(phi.inverse(phi(x)), x, atol=1e-4, rtol=0)
    torch.testing.assert_close(net(x), phi(x) @ head.weight.T + head.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_each_learns_which_corner_a_point_belongs_to(kind: Kind) -> None:
    net = made(kind, k=4)
    label = torch.arange(200) % 4
    corner = torch.stack([label % 2, label // 2], 1) * 2.0 - 1.0
    x = corner + 0.1 * torch.randn(200, 2)
    adagrad = torch.optim.Adagrad(net.parameters(), lr=0.07)
    for _ in range(60):
        adagrad.zero_grad()
        F.cross_entropy(net(x), label).backward()
        adagrad.step()
    settle_norms(net)
    net.eval()
    assert torch.equal(net(x).argmax(1), label)
    for layer in net.modules():
        if isinstance(layer, CappedLinear):
            assert torch.linalg.matrix_norm(layer.limit(layer.weight), 2) <= 0.9 + 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_eval_mode_changes_nothing(kind: Kind) -> None:
    net = made(kind)
    net(torch.randn(20, 2))
    net.eval()
    kept = copy.deepcopy(net.state_dict())
    net(torch.randn(20, 2) * 9)
    assert all(torch.equal(value, kept[name]) for name, value in net.state_dict().items())


def test_an_unknown_kind_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="'tree'; choose from: linear, mlp, invertible"):
        point_partitioner("tree", 2, 5)  # type: ignore[arg-type]
