"""Fréchet distance between two Gaussians fitted to features (Dowson and Landau 1982; Heusel et al. 2017).

    d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With any factors S1 = A1^T A1 and S2 = A2^T A2 the last trace is the sum of the singular values of A1 A2^T, which are
real and not negative; no square root of a matrix is ever taken. N: samples, d: features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.builtin.metrics.congruence import congruence
from harness.builtin.metrics.frechet_error import sampling_error
from harness.builtin.metrics.naming import named
from harness.errors import EvaluationError
from harness.evaluation import Evidence, Gaussian, Measurement, MetricContext, Value, fit_gaussian

#: share of the traces that rounding may move the trace of the root by, before a slower form is taken
ROUNDING = 5e-9


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet distance; symmetric, real, not negative.

    :raises EvaluationError: where they have different numbers of features.
    """
    if a.mean.shape != b.mean.shape:
        raise EvaluationError(f"features of {len(a.mean)} and of {len(b.mean)} dimensions cannot be compared")
    squared = mean_term(a, b) + a.trace + b.trace - 2.0 * trace_of_root(a, b)
    # rounding may leave a hair below zero for equal sets
    return max(squared, 0.0)


def mean_term(a: Gaussian, b: Gaussian) -> float:
    """Squared distance of the means."""
    return float((a.mean - b.mean).square().sum())


def trace_of_root(a: Gaussian, b: Gaussian) -> float:
    """tr (S1 S2)^(1/2), by the cheapest form that rounding allows: n x n where a set has fewer samples than features.

    Roots of the eigenvalues of A1 S2 A1^T are the same singular values and cheaper, but a root near zero keeps only
    half of its digits; where so many are near zero that it would show, the singular values themselves are taken.
    """
    few, many = (a, b) if b.factor is None else (b, a)
    trace = None if many.covariance is None else _by_eigenvalues(few, many.covariance, ROUNDING * (a.trace + b.trace))
    return _by_singular_values(a, b) if trace is None else trace


def _by_eigenvalues(few: Gaussian, covariance: Tensor, allowed: float) -> float | None:
    """The trace of the root; None where rounding may have moved it by more than `allowed`."""
    if few.factor is not None:
        outer = _without_null_direction(few.factor)  # [N - 1, d]
        product, norm = outer @ covariance @ outer.T, (outer @ outer.T).norm() * covariance.norm()
    else:
        assert few.covariance is not None
        live = (few.covariance.diagonal() > 0) & (covariance.diagonal() > 0)  # others add nothing to the trace
        mine, covariance = few.covariance[live][:, live], covariance[live][:, live]
        lower, failed = torch.linalg.cholesky_ex(mine)
        if bool(failed):
            return None
        product, norm = congruence(lower, covariance), mine.norm() * covariance.norm()
    roots = torch.linalg.eigvalsh(product).clamp(min=0).sqrt()
    precision = torch.finfo(roots.dtype)
    noise = (precision.eps * norm).clamp(min=precision.tiny)  # of an eigenvalue
    moved = float((noise / (roots + noise.sqrt())).sum())
    return float(roots.sum()) if moved <= allowed else None


def _without_null_direction(factor: Tensor) -> Tensor:
    """Centred rows [N, d] as N - 1 rows with the same covariance: their sum, which is zero, is turned away.

    The reflection that takes (1, ..., 1) / sqrt(N) to the first axis leaves nothing in the first row.
    """
    count = len(factor)
    axis = factor.new_full((count,), count**-0.5)
    axis[0] += 1.0
    reflected = factor - axis[:, None] * (2.0 / axis.square().sum() * (axis @ factor))
    return reflected[1:]


def _by_singular_values(a: Gaussian, b: Gaussian) -> float:
    left, right = (_exact_factor(each) for each in (a, b))
    return float(torch.linalg.svdvals(left @ right.T).sum())


def _exact_factor(gaussian: Gaussian) -> Tensor:
    """A with covariance = A^T A, without directions that are rounding error: [rank, d]."""
    if gaussian.factor is not None:
        return gaussian.factor
    assert gaussian.covariance is not None
    values, vectors = torch.linalg.eigh(gaussian.covariance)
    real = values > values.max().clamp(min=0) * len(values) * torch.finfo(values.dtype).eps
    found: Tensor = (vectors[:, real] * values[real].sqrt()).T
    return found


def fd(*, real: Gaussian, generated: Tensor) -> dict[str, Value]:
    """The distance of features [N, d] of generated images from real ones, with the two terms that make it up.

    The standard error is that of drawing the generated images, the real side fixed; None where there are too few of
    them for it, or a covariance does not have full rank. A remark says so where the counts show the latter.
    """
    fitted = fit_gaussian(generated, "generated")
    distance, of_means = frechet_distance(real, fitted), mean_term(real, fitted)
    error = sampling_error(generated, fitted, real)
    remark = rank_remark(len(real.mean), real=real.count, generated=fitted.count)
    return {
        "fd": Value(
            distance,
            std_error=error,
            std_error_of=None if error is None else "sampling",
            remark=remark,
            details={"mean_term": of_means, "covariance_term": max(distance - of_means, 0.0)},
        )
    }


def rank_remark(size: int, **counts: int | None) -> str | None:
    """What to say where a covariance of `size` features comes from too few samples to have full rank.

    :param counts: samples by role; None where nobody knows.
    """
    few = [f"{count} {role}" for role, count in counts.items() if count is not None and count <= size]
    if not few:
        return None
    return f"{' and '.join(few)} samples for {size} features: the covariance is singular and the distance biased"


class FrechetDistance:
    """`fd` (`fid` on Inception) on every extractor in use, against every real split or imported statistics.

    Where there are fewer real images than samples, also with as many samples as real images, which papers report with
    a validation split (vFID).
    """

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        found = []
        for extractor in context.extractors():
            for real in context.references(extractor):
                size = real.size()
                found.append(self._on(context, extractor, real, None))
                if size is not None and size < context.generated().items():
                    found.append(self._on(context, extractor, real, size))
        return found

    def _on(self, context: MetricContext, extractor: str, real: Evidence[Gaussian], most: int | None) -> Measurement:
        generated = context.features(context.generated(most), extractor)
        name = named(context, extractor, inception="fid", other="fd")
        protocol = context.protocol(name, real=real, generated=generated)
        least = {"real": 2, "generated": 2}  # below that there is no covariance
        return Measurement({"real": real, "generated": generated}, fd, {"fd": protocol}, least)
