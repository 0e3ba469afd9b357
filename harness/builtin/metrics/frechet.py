"""Fréchet distance between two Gaussians fitted to features (Dowson and Landau 1982; Heusel et al. 2017).

    d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With any factors S1 = A1^T A1 and S2 = A2^T A2 the last trace is the sum of the singular values of A1 A2^T, which are
real and not negative; no square root of a matrix is ever taken. N: samples, d: features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation import Features, Gaussian, Measurement, Offer, Value, fit_gaussian

def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet distance; symmetric, real, not negative."""
    if a.mean.shape != b.mean.shape:
        raise EvaluationError(f"features of {len(a.mean)} and of {len(b.mean)} dimensions cannot be compared")
    squared = float((a.mean - b.mean).square().sum()) + a.trace + b.trace - 2.0 * trace_of_root(a, b)
    # rounding may leave a hair below zero for equal sets
    return max(squared, 0.0)


def trace_of_root(a: Gaussian, b: Gaussian) -> float:
    """tr (S1 S2)^(1/2), by the cheapest exact form: n x n where a set has fewer samples than features."""
    if a.factor is not None and b.factor is not None:
        return float(torch.linalg.svdvals(a.factor @ b.factor.T).sum())  # [Na, Nb]
    if a.factor is not None or b.factor is not None:
        few, many = (a, b) if a.factor is not None else (b, a)
        assert few.factor is not None
        assert many.covariance is not None
        return _sum_of_roots(few.factor @ many.covariance @ few.factor.T)  # [N, N]
    assert a.covariance is not None
    assert b.covariance is not None
    lower, failed = torch.linalg.cholesky_ex(a.covariance)
    if not bool(failed):
        return _sum_of_roots(lower.T @ b.covariance @ lower)  # [d, d]
    # a feature without variance: factors from the eigenvectors, null directions left out
    return float(torch.linalg.svdvals(_eigen_factor(a.covariance) @ _eigen_factor(b.covariance).T).sum())


def _sum_of_roots(symmetric: Tensor) -> float:
    return float(torch.linalg.eigvalsh(symmetric).clamp(min=0).sqrt().sum())


def _eigen_factor(covariance: Tensor) -> Tensor:
    """A with covariance = A^T A, one row for each eigenvalue that is not rounding error: [rank, d]."""
    values, vectors = torch.linalg.eigh(covariance)
    real = values > values.max().clamp(min=0) * len(values) * torch.finfo(values.dtype).eps
    return (vectors[:, real] * values[real].sqrt()).T


def fd(*, real: Tensor, generated: Tensor) -> dict[str, Value]:
    """Features [N, d] of real and of generated images to the distance, with a remark where a covariance is singular."""
    a, b = fit_gaussian(real, "real"), fit_gaussian(generated, "generated")
    mean_term = float((a.mean - b.mean).square().sum())
    distance = frechet_distance(a, b)
    details = {"mean_term": mean_term, "covariance_term": max(distance - mean_term, 0.0)}
    return {"fd": Value(distance, remark=rank_remark(len(a.mean), real=a.count, generated=b.count), details=details)}


def rank_remark(size: int, **counts: int) -> str | None:
    """What to say where a covariance of `size` features comes from too few samples to have full rank."""
    few = [f"{count} {role}" for role, count in counts.items() if count <= size]
    if not few:
        return None
    return f"{' and '.join(few)} samples for {size} features: the covariance is singular and the distance biased"


class FrechetDistance:
    """`fd` on every extractor in use."""

    def measurements(self, offer: Offer) -> Sequence[Measurement]:
        return [self._on(offer, name) for name in offer.extractors()]

    def _on(self, offer: Offer, extractor: str) -> Measurement:
        real, generated = Features(offer.real(), extractor), Features(offer.generated(), extractor)
        protocol = offer.protocol("fd", real=real, generated=generated)
        least = {"real": 2, "generated": 2}  # below that there is no covariance
        return Measurement({"real": real, "generated": generated}, fd, {"fd": protocol}, least)
