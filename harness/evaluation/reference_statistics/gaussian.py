"""A Gaussian fitted to features: the statistics that Fréchet distances are computed from. N: samples, d: features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from harness.errors import EvaluationError

#: columns that are multiplied at once
BLOCK = 256

#: rows that are converted to float64 at once
ROWS = 4096


@dataclass(frozen=True)
class Gaussian:
    """Mean and spread of features.

    :param mean: float64 [d].
    :param covariance: unbiased, float64 [d, d]; None where `factor` stands for it.
    :param factor: centred rows / sqrt(N - 1), float64 [N, d], where N < d: covariance = factor^T factor.
    :param count: N; None where nobody recorded it (statistics from another tool's file).
    :param source: SHA-256 of the file that it was taken from; None where it was computed here.
    """

    mean: Tensor
    covariance: Tensor | None
    factor: Tensor | None
    count: int | None
    source: str | None = None

    @cached_property
    def trace(self) -> float:
        """Trace of the covariance."""
        if self.covariance is not None:
            return float(self.covariance.trace())
        assert self.factor is not None
        return float(self.factor.square().sum())

    def full_covariance(self) -> Tensor:
        """The covariance [d, d], whichever way it is held."""
        if self.covariance is not None:
            return self.covariance
        assert self.factor is not None
        return self.factor.T @ self.factor


def fit_gaussian(features: Tensor, role: str = "feature") -> Gaussian:
    """Features [N, d] to their mean and unbiased covariance, in float64, two passes.

    :param role: what the rows are, for the error.
    :raises EvaluationError: where N < 2, which has no covariance.
    """
    count, size = features.shape
    if count < 2:
        raise EvaluationError(f"a Frechet distance needs at least 2 {role} samples, not {count}")
    mean = torch.stack([rows.double().sum(0) for rows in features.split(ROWS)]).sum(0) / count
    if count < size:
        return Gaussian(mean, None, (features.double() - mean) / (count - 1) ** 0.5, count)
    covariance = mean.new_zeros(size, size)
    for rows in features.split(ROWS):
        centred = rows.double() - mean  # [rows, d]
        covariance += gram(centred)
    return Gaussian(mean, covariance / (count - 1), None, count)


def gram(rows: Tensor) -> Tensor:
    """Rows [N, d] to rows^T rows, [d, d]: blocks on one side of the diagonal are computed, and mirrored."""
    size = rows.shape[1]
    found = rows.new_empty(size, size)
    for at in range(0, size, BLOCK):
        block = rows[:, at : at + BLOCK].T @ rows[:, : at + BLOCK]  # [BLOCK, at + BLOCK]
        found[at : at + BLOCK, : at + BLOCK] = block
        found[:at, at : at + BLOCK] = block[:, :at].T
    return found
