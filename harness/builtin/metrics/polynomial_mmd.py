"""Unbiased squared MMD under a cubic polynomial kernel (Bińkowski et al. 2018, section 4; Gretton et al. 2012, eq. 3).

    k(x, y) = (x . y / d + 1)^3
    MMD^2 = mean_{i != j} k(r_i, r_j) + mean_{i != j} k(g_i, g_j) - 2 mean_{i, j} k(g_i, r_j)

The estimator has no bias at any number of samples, so that equal laws give values about zero, below as often as above:
a negative value is no error. Kernel values are computed a band of rows at a time; no N x M matrix is held where it is
large. N: real, M: generated, d: features.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from harness.errors import EvaluationError

#: kernel values held at once (32 MiB of float64)
VALUES = 2**22


class Mmd(NamedTuple):
    """An estimate of the squared MMD.

    :ivar squared: may be negative.
    :ivar influence: how far each generated sample moves it, up to a constant, float64 [M].
    """

    squared: float
    influence: Tensor


def polynomial_kernel(a: Tensor, b: Tensor) -> Tensor:
    """Features [n, d] and [m, d] to k(a_i, b_j), float64 [n, m]."""
    products = a.double() @ b.double().T
    return products.div_(a.shape[1]).add_(1.0).pow_(3)


def squared_mmd(*, real: Tensor, generated: Tensor, rows: int | None = None) -> Mmd:
    """Features [N, d] and [M, d] to the unbiased squared MMD.

    :param rows: rows a band; chosen by the memory at hand where not given.
    :raises EvaluationError: where the sets have different numbers of features, or fewer than 2 items.
    """
    _check(real, generated)
    among_real = _means_of_others(real, rows)  # [N]
    among_generated = _means_of_others(generated, rows)  # [M]
    across = _kernel_sums(generated, real, rows) / len(real)  # [M]
    squared = float(among_real.mean() + among_generated.mean() - 2.0 * across.mean())
    return Mmd(squared, 2.0 * (among_generated - across))


def _means_of_others(points: Tensor, rows: int | None) -> Tensor:
    """mean_{j != i} k(x_i, x_j) for each i, float64 [n]."""
    itself = points.double().square().sum(1).div(points.shape[1]).add(1.0).pow(3)
    return (_kernel_sums(points, points, rows) - itself) / (len(points) - 1)


def _kernel_sums(a: Tensor, b: Tensor, rows: int | None) -> Tensor:
    """sum_j k(a_i, b_j) for each i, float64 [n], of features [n, d] and [m, d]."""
    rows = rows or max(1, VALUES // len(b))
    wide = b.double()
    return torch.cat([polynomial_kernel(band, wide).sum(1) for band in a.split(rows)])


def _check(real: Tensor, generated: Tensor) -> None:
    if real.shape[1] != generated.shape[1]:
        raise EvaluationError(f"features of {real.shape[1]} and of {generated.shape[1]} dimensions cannot be compared")
    for role, points in (("real", real), ("generated", generated)):
        if len(points) < 2:
            raise EvaluationError(f"a kernel distance needs at least 2 {role} samples, not {len(points)}")
