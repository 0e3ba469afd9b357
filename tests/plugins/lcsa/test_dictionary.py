"""Dictionaries: their first atoms, and the gradient that moves them."""

from __future__ import annotations

import torch
from harness_lcsa.coders import decode, local_soft_assignment
from harness_lcsa.dictionary import dictionary_gradient, initial_atoms


def test_first_atoms_have_unit_l1_norm_and_both_signs() -> None:
    torch.manual_seed(0)
    atoms = initial_atoms(64, 256)
    assert atoms.shape == (64, 256)
    torch.testing.assert_close(atoms.abs().sum(1), torch.ones(64), rtol=1e-5, atol=0)
    assert 0.45 < (atoms > 0).float().mean() < 0.55
    # uniform, so that the largest entry is twice the mean of the magnitudes, 1 / 256
    assert 1.9 / 256 < atoms.abs().max() < 2.3 / 256


def test_first_atoms_are_as_short_as_the_l1_norm_makes_them() -> None:
    torch.manual_seed(0)
    # |m|_2 = sqrt(E u^2 / c) / E|u| = sqrt(4 / (3 c)) for uniform u
    for width, expected in ((256, 0.0722), (512, 0.0510), (1024, 0.0361)):
        torch.testing.assert_close(
            initial_atoms(512, width).norm(dim=1).mean(), torch.tensor(expected), rtol=5e-3, atol=0
        )


def test_closed_form_equals_autograd() -> None:
    torch.manual_seed(0)
    x, m = torch.randn(30, 6, dtype=torch.float64), torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    codes = local_soft_assignment(x, m.detach(), 1.0, 3)
    residual = x - decode(codes, m)
    (expected,) = torch.autograd.grad(residual.square().sum() / len(x), m)
    torch.testing.assert_close(dictionary_gradient(residual.detach(), codes), expected)


def test_steps_against_the_gradient_shrink_the_error() -> None:
    torch.manual_seed(0)
    x, m = torch.randn(200, 6), torch.randn(9, 6)
    codes = local_soft_assignment(x, m, 1.0, 3)
    errors = []
    for _ in range(20):
        residual = x - decode(codes, m)
        errors.append(float(residual.square().sum()))
        m = m - 0.5 * dictionary_gradient(residual, codes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.8 * errors[0]
