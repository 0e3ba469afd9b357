"""Dictionaries: where their atoms start, and the one gradient step a mini-batch that moves them (Alg. 6)."""

from __future__ import annotations

import torch
from torch import Tensor


def initial_atoms(atoms: int, width: int) -> Tensor:
    """Atoms to begin with: uniform on (-1, 1), each divided by its L1 norm + 1e-6 (Alg. 6).

    :returns: m [atoms, width]; each row has an L1 norm of 1.
    """
    m = torch.empty(atoms, width).uniform_(-1.0, 1.0)
    return m / (m.abs().sum(1, keepdim=True) + 1e-6)


def dictionary_gradient(residual: Tensor, codes: Tensor) -> Tensor:
    """Gradient of |x - a m|^2 / N' in m, for fixed x and a: -2 a^T (x - a m) / N'.

    Alg. 6 prints it with the other sign, which would climb. In closed form it is one matrix product; autograd would
    code the features a second time.

    :param residual: x - h(x), [N', c].
    :param codes: a, [N', k].
    :returns: [k, c].
    """
    return torch.mm(codes.T, residual).mul_(-2.0 / len(residual))
