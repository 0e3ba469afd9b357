"""The block: what it lets through, what it adds, and where gradients go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from harness_lcsa.block import Coding, LCSABlock, as_map, as_rows
from harness_lcsa.config import ControllerSettings, LCSASettings
from harness_lcsa.controller import Controller

from harness.devices import full_precision

WIDTH, ATOMS, NEAR = 6, 16, 4


def settings(**values: object) -> LCSASettings:
    return LCSASettings.model_validate({"coder": {"atoms": ATOMS, "neighbours": NEAR, "sigma": 0.8}, **values})


def block(beta: float, **values: object) -> LCSABlock:
    torch.manual_seed(0)
    controller = Controller(ControllerSettings(mode="fixed", beta0=beta), torch.device("cpu"))
    made = LCSABlock(WIDTH, settings(**values), controller, nullcontext)
    with torch.no_grad():
        made.dictionary.normal_()  # atoms far enough apart for codes to differ
    return made


def features(n: int = 3, side: int = 4) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(n, WIDTH, side, side)


@pytest.mark.parametrize("mix", ["convex", "additive"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_beta_0_is_the_identity_to_the_bit_in_value_gradient_and_layout(mix: str, layout: torch.memory_format) -> None:
    x = features().contiguous(memory_format=layout).requires_grad_()
    out = block(0.0, mix=mix)(x).map
    assert torch.equal(out, x)
    assert out.is_contiguous(memory_format=layout)
    weights = torch.randn_like(x)
    (gradient,) = torch.autograd.grad(out, x, weights)
    assert torch.equal(gradient, weights)


@pytest.mark.parametrize(("mix", "kept"), [("convex", 0.7), ("additive", 1.0)])
def test_mixes_features_with_their_codes(mix: str, kept: float) -> None:
    made, x = block(0.3, mix=mix), features()
    out, coding = made(x)
    torch.testing.assert_close(out, kept * x + 0.3 * as_map(coding.coded, x.shape))


def test_convex_beta_1_lets_only_codes_through() -> None:
    made, x = block(1.0), features()
    out, coding = made(x)
    assert torch.equal(as_rows(out), coding.coded)


def test_mixing_jacobian_keeps_at_least_the_unmixed_share() -> None:
    made = block(0.3)

    for row in torch.randn(5, WIDTH):
        jacobian = torch.autograd.functional.jacobian(lambda x: made(x[None]).map[0], row)
        eigenvalues = torch.linalg.eigvalsh((jacobian + jacobian.T) / 2)
        torch.testing.assert_close(jacobian, jacobian.T, atol=1e-5, rtol=0)
        assert eigenvalues.min() >= 0.7 - 1e-5
        assert eigenvalues.max() > 0.7 + 1e-3


def test_each_position_is_coded_by_itself() -> None:
    made, x = block(0.5), features()
    whole = made(x).map
    torch.testing.assert_close(made(x[1:2, :, 2:3, 3:4]).map, whole[1:2, :, 2:3, 3:4])


def test_rows_and_maps_are_inverse() -> None:
    x = features()
    assert torch.equal(as_map(as_rows(x), x.shape), x)
    assert torch.equal(as_rows(x)[4 * 4 + 4 * 2 + 3], x[1, :, 2, 3])


def test_points_are_coded_too() -> None:
    out, coding = block(0.5)(torch.randn(10, WIDTH))
    assert out.shape == (10, WIDTH)
    assert coding.codes.shape == (10, ATOMS)


@pytest.mark.parametrize(("reduction", "of"), [("mean", torch.mean), ("sum", torch.sum)])
def test_proximity_is_the_squared_distance_to_the_code(
    reduction: str, of: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    made, x = block(0.5, proximity={"reduction": reduction}), features()
    coding: Coding = made(x).note
    torch.testing.assert_close(coding.proximity, of((as_rows(x) - coding.coded).square()))


@pytest.mark.parametrize("stop", [False, True])
def test_gradient_of_proximity_passes_through_the_code_unless_stopped(stop: bool) -> None:
    made, x = block(0.5, proximity={"reduction": "sum", "stop_gradient": stop}), torch.randn(1, WIDTH)
    jacobian = torch.autograd.functional.jacobian(lambda rows: made(rows).map, x)[0, :, 0]
    j = (jacobian - 0.5 * torch.eye(WIDTH)) / 0.5  # undo the mixing
    coding = made(x.requires_grad_()).note
    (gradient,) = torch.autograd.grad(coding.proximity, x)
    residual = (x.detach() - coding.coded)[0]
    expected = 2 * residual if stop else 2 * (torch.eye(WIDTH) - j).T @ residual
    torch.testing.assert_close(gradient[0], expected, rtol=1e-4, atol=1e-5)


def test_no_gradient_reaches_the_dictionary() -> None:
    made, x = block(0.5), features().requires_grad_()
    out, coding = made(x)
    (out.square().sum() + coding.proximity).backward()
    assert made.dictionary.grad is None
    assert x.grad is not None


def test_the_note_holds_no_graph_but_the_proximity() -> None:
    coding = block(0.5)(features().requires_grad_()).note
    assert coding.proximity.requires_grad
    assert not any(part.requires_grad for part in (coding.features, coding.codes, coding.coded))


def test_gradient_penalties_pass_twice() -> None:
    made, x = block(0.5), features().requires_grad_()
    (gradient,) = torch.autograd.grad(made(x).map.square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), x)
    assert second.isfinite().all()
    # through x alone the penalty of (0.5 x)^2 would be 0.5 x
    assert not torch.allclose(second, 0.5 * x)


def test_codes_in_float32_under_autocast() -> None:
    made = block(0.5)
    made._full_precision = lambda: full_precision(torch.device("cpu"))
    x = features()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out, coding = made(x.bfloat16())
    assert out.dtype == torch.bfloat16
    assert coding.codes.dtype == coding.proximity.dtype == torch.float32
    torch.testing.assert_close(coding.coded, made(x.bfloat16().float()).note.coded)


def test_beta_is_read_at_every_pass() -> None:
    made, x = block(0.0), features()
    before = made(x).map
    made._controller.beta = torch.tensor(0.9)
    assert not torch.equal(made(x).map, before)


def test_only_parameter_is_the_dictionary() -> None:
    assert {name: tuple(p.shape) for name, p in block(0.5).named_parameters()} == {"dictionary": (ATOMS, WIDTH)}


def test_dictionary_gradient_is_that_of_the_mean_reconstruction_error() -> None:
    made = block(0.5)
    coding: Coding = made(features()).note
    m = made.dictionary.detach().clone().requires_grad_()
    error = (coding.features - coding.codes @ m).square().sum() / len(coding.features)
    torch.testing.assert_close(coding.dictionary_gradient(), torch.autograd.grad(error, m)[0])
