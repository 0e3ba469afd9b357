"""`minimize`: gradients first, then steps, and no gradient anywhere else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.contracts import AdamSettings
from harness.training.optimisers import adam
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime


@pytest.fixture
def ctx(catalog):
    return RunContext(catalog, Runtime(torch.device("cpu")), seed=0)


def sgd(module, lr=1.0):
    return torch.optim.SGD(module.parameters(), lr)


def test_a_step_descends_along_the_gradient_of_the_summed_terms(ctx):
    w = nn.ParameterList([torch.tensor([2.0, -3.0])])
    ctx.minimize(w=({"square": (w[0] ** 2).sum() / 2, "linear": w[0].sum()}, sgd(w, 0.1)))
    assert torch.allclose(w[0], torch.tensor([2.0 - 0.3, -3.0 + 0.2]))


def test_no_gradient_lands_on_other_parameters(ctx):
    inner, outer = nn.Linear(2, 2), nn.Linear(2, 1)
    before = {name: p.clone() for name, p in inner.named_parameters()}
    ctx.minimize(outer=(outer(inner(torch.ones(3, 2))).mean(), sgd(outer)))
    assert all(p.grad is None for p in (*inner.parameters(), *outer.parameters()))
    assert all(torch.equal(p, before[name]) for name, p in inner.named_parameters())


def test_all_gradients_are_taken_before_any_step(ctx):
    a, b = nn.ParameterList([torch.tensor(1.0)]), nn.ParameterList([torch.tensor(1.0)])
    product = a[0] * b[0]
    ctx.minimize(a=(product, sgd(a)), b=(-product, sgd(b)))
    # simultaneous descent-ascent from (1, 1): (0, 2); one after the other would give (0, 1)
    assert (a[0].item(), b[0].item()) == (0.0, 2.0)


def test_a_frozen_parameter_is_passed_over(ctx):
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    bias = layer.bias.clone()
    ctx.minimize(layer=(layer(torch.ones(1, 2)).sum(), sgd(layer)))
    assert torch.equal(layer.bias, bias)


def test_a_parameter_the_loss_does_not_touch_is_left_alone(ctx):
    layer = nn.Linear(2, 1)
    adam = torch.optim.Adam(layer.parameters(), weight_decay=0.5)
    bias = layer.bias.clone()
    ctx.minimize(layer=(layer.weight.sum(), adam))
    assert torch.equal(layer.bias, bias)


def test_a_gradient_steps_the_weights_it_is_of_however_it_lies_in_memory(ctx):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3)
    images = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    (gradient,) = torch.autograd.grad(conv(images).square().mean(), [conv.weight])
    assert gradient.stride() != conv.weight.stride()  # else nothing is tested here
    expected = conv.weight.detach() - 0.01 * gradient.sign()  # Adam's first step
    ctx.minimize(conv=(conv(images).square().mean(), adam(conv.parameters(), AdamSettings(lr=0.01))))
    torch.testing.assert_close(conv.weight.detach(), expected, rtol=0, atol=1e-4)


def test_terms_reach_the_log_as_means_and_the_guard_by_name(ctx):
    w = nn.ParameterList([torch.tensor(1.0)])
    for ctx.step, factor in enumerate([1.0, 3.0]):
        ctx.minimize(w=({"linear": factor * torch.ones(()) + 0 * w[0]}, sgd(w)))
    assert ctx.meters.bad_term() is None
    assert ctx.meters.drain() == {"w/linear": 2.0}
    assert ctx.meters.drain() == {}
    for ctx.step in (5, 6):
        ctx.minimize(w=({"bad": w[0] * float("inf"), "fine": w[0] * 0}, sgd(w, 0.0)))
    assert ctx.meters.bad_term() == ("w/bad", 5)


def test_full_precision_lifts_autocast_and_puts_it_back(ctx):
    x = torch.randn(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        with ctx.full_precision():
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16
