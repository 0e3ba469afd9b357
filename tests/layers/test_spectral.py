"""Spectral norm against singular values, and convolutions merged with resampling against separate ones."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from harness.layers.spectral import Conv, Embedding, Linear, Rows, SpectralNorm

LAYERS = {
    "linear": lambda eps: Linear(5, 7, eps=eps),
    "conv1": lambda eps: Conv(3, 4, 1, eps=eps),
    "conv3": lambda eps: Conv(3, 4, 3, eps=eps),
    "embedding": lambda eps: Embedding(6, 5, eps=eps),
}


def layer(name: str, eps: float | None = 1e-12):
    torch.manual_seed(0)
    return LAYERS[name](eps).double()


def normalised(module) -> torch.Tensor:
    """The weight as it is used."""
    return module.weight / module.normalise.sigma(module.weight)


def converged(module):
    for _ in range(2000):
        module.normalise.sigma(module.weight)
    return module


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_converges_to_the_largest_singular_value(name):
    module = converged(layer(name))
    largest = torch.linalg.svdvals(module.weight.flatten(1))[0]
    torch.testing.assert_close(module.normalise.sigma(module.weight), largest, rtol=1e-10, atol=0)
    torch.testing.assert_close(torch.linalg.svdvals(normalised(module).flatten(1))[0].item(), 1.0)


@pytest.mark.parametrize("name", LAYERS)
def test_one_pass_is_one_step_of_power_iteration(name):
    module = layer(name)
    matrix, u = module.weight.detach().flatten(1), module.normalise.u.clone()
    v = F.normalize(matrix.T @ u, dim=0)
    expected = F.normalize(matrix @ v, dim=0)
    sigma = module.normalise.sigma(module.weight)
    torch.testing.assert_close(module.normalise.u, expected)
    torch.testing.assert_close(sigma, expected @ matrix @ v)


@pytest.mark.parametrize("name", LAYERS)
def test_the_layer_uses_the_normalised_weight(name):
    module, plain = layer(name).eval(), layer(name, eps=None)
    with torch.no_grad():
        plain.load_state_dict({"weight": normalised(module)} | ({"bias": module.bias} if name != "embedding" else {}))
    x = {"linear": torch.randn(2, 5), "embedding": torch.tensor([0, 5, 5])}.get(name, torch.randn(2, 3, 6, 6))
    x = x if name == "embedding" else x.double()
    torch.testing.assert_close(module(x), plain(x))


def test_the_gradient_of_sigma_is_the_outer_product_of_its_singular_vectors():
    module = converged(layer("linear"))
    (gradient,) = torch.autograd.grad(module.normalise.sigma(module.weight), module.weight)
    left, _, right = torch.linalg.svd(module.weight.detach())
    torch.testing.assert_close(gradient, torch.outer(left[:, 0], right[0]))


def test_eval_mode_keeps_the_vector_and_training_mode_moves_it():
    module = layer("conv3")
    x, before = torch.randn(1, 3, 4, 4).double(), module.normalise.u.clone()
    module.eval()(x)
    assert torch.equal(module.normalise.u, before)
    module.train()(x)
    assert not torch.equal(module.normalise.u, before)


def test_two_passes_can_be_differentiated_together():
    """The second pass moves the vector in place; the first one's graph must not notice."""
    module, x = layer("linear"), torch.randn(3, 5).double()
    alone = copy.deepcopy(module)
    (first_alone,) = torch.autograd.grad(alone(x).square().sum(), alone.weight)
    first, second = module(x).square().sum(), module(x).square().sum()
    (gradient,) = torch.autograd.grad(first, module.weight, retain_graph=True)
    assert torch.equal(gradient, first_alone)
    assert torch.isfinite(torch.autograd.grad(first + second, module.weight)[0]).all()


def test_autocast_does_not_coarsen_sigma(monkeypatch):
    """On a GPU autocast would round the products of matrix and vector; on a CPU one can only see that it is off."""
    weight = torch.randn(6, 9)
    norm = SpectralNorm(6, 1e-12).eval()
    plain, product, autocast = norm.sigma(weight), torch.mv, []

    def watched(matrix, vector):
        autocast.append(torch.is_autocast_enabled("cpu"))
        return product(matrix, vector)

    monkeypatch.setattr(torch, "mv", watched)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = norm.sigma(weight)
        assert torch.is_autocast_enabled("cpu")
    assert autocast == [False, False]
    assert torch.equal(inside, plain)


def test_a_weight_of_zeros_stays_finite():
    module = Linear(3, 2, eps=1e-6)
    torch.nn.init.zeros_(module.weight)
    assert torch.isfinite(module.normalise.u).all()
    assert module.normalise.sigma(module.weight).item() == 0.0
    assert torch.isfinite(module.normalise.u).all()


def test_the_vector_starts_at_unit_length_and_is_saved():
    module = layer("conv3")
    assert module.normalise.u.norm().item() == pytest.approx(1.0)
    assert set(module.state_dict()) == {"weight", "bias", "normalise.u"}


@pytest.mark.parametrize("name", LAYERS)
def test_without_eps_a_layer_is_the_ordinary_one(name):
    module = layer(name, eps=None)
    assert set(module.state_dict()) <= {"weight", "bias"}


@pytest.mark.parametrize("eps", [None, 1e-12])
def test_a_convolution_merged_with_averaging_equals_the_two_apart(eps):
    torch.manual_seed(1)
    merged = Conv(3, 5, 3, resample="down", eps=eps).double().eval()
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    weight = merged.normalise(merged.weight)
    apart = F.avg_pool2d(F.conv2d(x, weight, merged.bias, padding=1), 2)
    torch.testing.assert_close(merged(x), apart, rtol=1e-12, atol=1e-12)
    inputs = (x, merged.weight, merged.bias)
    push = torch.randn_like(apart)
    of_merged, of_apart = (torch.autograd.grad(result, inputs, push) for result in (merged(x), apart))
    for a, b in zip(of_merged, of_apart, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("eps", [None, 1e-12])
def test_a_convolution_merged_with_up_sampling_equals_the_two_apart(eps):
    torch.manual_seed(1)
    merged = Conv(3, 5, 3, resample="up", eps=eps).double().eval()
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = merged.normalise(merged.weight)
    apart = F.conv2d(F.interpolate(x, scale_factor=2), weight, merged.bias, padding=1)
    torch.testing.assert_close(merged(x), apart, rtol=1e-12, atol=1e-12)
    inputs = (x, merged.weight, merged.bias)
    push = torch.randn_like(apart)
    of_merged, of_apart = (torch.autograd.grad(result, inputs, push) for result in (merged(x), apart))
    for a, b in zip(of_merged, of_apart, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("eps", [None, 1e-12])
def test_rows_are_the_picked_outputs_of_one_linear_map(eps):
    torch.manual_seed(0)
    rows, whole = Rows(5, 7, eps=eps).double(), Linear(5, 7).double()
    x, condition = torch.randn(4, 5, dtype=torch.float64, requires_grad=True), torch.tensor([6, 0, 3, 3])
    if eps:
        converged(rows.linear).eval()
        largest = torch.linalg.svdvals(rows.linear.weight)[0]
    with torch.no_grad():
        whole.load_state_dict({"weight": rows.linear.weight / (largest if eps else 1), "bias": rows.linear.bias})
    torch.testing.assert_close(rows(x, condition), whole(x)[range(4), condition], rtol=1e-9, atol=1e-9)
    rows.linear.weight.grad = rows.linear.bias.grad = None
    rows(x, condition).sum().backward()
    # rows that nobody asked for learn nothing
    assert torch.equal(rows.linear.bias.grad, torch.tensor([1.0, 0, 0, 2, 0, 0, 1], dtype=torch.float64))
    if not eps:
        torch.testing.assert_close(rows.linear.weight.grad[3], x[2] + x[3])


def test_rows_take_a_step_of_power_iteration_a_training_pass():
    rows = Rows(5, 7, eps=1e-12)
    before = rows.linear.normalise.u.clone()
    rows(torch.randn(2, 5), torch.tensor([0, 1]))
    assert not torch.equal(rows.linear.normalise.u, before)


def test_only_three_by_three_kernels_are_merged():
    with pytest.raises(ValueError, match="3 x 3"):
        Conv(3, 4, 1, resample="down")
