"""Fréchet distance that endless samples would have (Chong and Forsyth 2020, section 3.2).

The distance of N samples is too large by about slope / N. It is measured at several N, each on a fresh random part of
the samples, and the straight line in 1 / N is followed to 1 / N = 0. N: samples, d: features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance, rank_remark
from harness.builtin.metrics.naming import named
from harness.errors import EvaluationError
from harness.evaluation import Evidence, Gaussian, Measurement, MetricContext, Term, Value, fit_gaussian, gram
from harness.randomness import keyed

#: sample counts that the line goes through
POINTS = 15

#: the smallest count, as a share of all samples
SMALLEST = 0.1

#: rows that are converted to float64 at once
ROWS = 4096


def sample_counts(count: int) -> list[int]:
    """Evenly spaced numbers of samples, from a tenth of `count` (at least 2) to all of them.

    :raises EvaluationError: where they would not all differ.
    """
    smallest = smallest_count(count)
    counts = [smallest + (count - smallest) * number // (POINTS - 1) for number in range(POINTS)]
    if len(set(counts)) < POINTS:
        raise EvaluationError(
            f"an extrapolated Frechet distance needs at least {least_count()} generated samples, not {count}",
            "raise --set evaluation.samples",
        )
    return counts


def smallest_count(count: int) -> int:
    """The fewest samples that a distance is measured with, of `count`."""
    return max(2, round(SMALLEST * count))


def least_count() -> int:
    """The fewest samples of which all counts differ."""
    return POINTS + 1


def intercept(sizes: Sequence[float], distances: Sequence[float]) -> tuple[float, float, float]:
    """Least-squares line through distances over 1 / size: its value at 0, that value's standard error, its slope."""
    x = 1.0 / torch.tensor(sizes, dtype=torch.float64)
    y = torch.tensor(distances, dtype=torch.float64)
    spread = (x - x.mean()).square().sum()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / spread
    start = y.mean() - slope * x.mean()
    residual = (y - start - slope * x).square().sum() / (len(x) - 2)
    error = (residual * (1.0 / len(x) + x.mean().square() / spread)).sqrt()
    return float(start), float(error), float(slope)


class Parts:
    """Gaussians of random parts of features [N, d]; sums over most rows are those over all less those over the rest."""

    def __init__(self, features: Tensor) -> None:
        self.features = features
        self.mean = torch.stack([rows.double().sum(0) for rows in features.split(ROWS)]).sum(0) / len(features)
        self.whole = self._sums(features) if len(features) >= features.shape[1] else None

    def gaussian(self, order: Tensor, count: int) -> Gaussian:
        """Fitted to the rows that come first in `order`, a permutation of all."""
        if count < self.features.shape[1] or self.whole is None:
            return fit_gaussian(self.features[order[:count]], "generated")
        if 2 * count <= len(order):
            first, second = self._sums(self.features[order[:count]])
        else:
            rest = self._sums(self.features[order[count:]])
            first, second = (all_of - without for all_of, without in zip(self.whole, rest, strict=True))
        shift = first / count
        covariance = (second - count * torch.outer(shift, shift)) / (count - 1)
        return Gaussian(self.mean + shift, covariance, None, count)

    def _sums(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Sum [d] and sum of products [d, d] of rows, as they lie about the mean of all."""
        first, second = self.mean.new_zeros(len(self.mean)), self.mean.new_zeros(len(self.mean), len(self.mean))
        for part in rows.split(ROWS):
            centred = part.double() - self.mean
            first += centred.sum(0)
            second += gram(centred)
        return first, second


def fd_inf(*, real: Gaussian, generated: Tensor) -> dict[str, Value]:
    """Features [N, d] of generated images and the real Gaussian to the distance at endless samples.

    :raises EvaluationError: where there are too few samples.
    """
    counts = sample_counts(len(generated))
    parts, distances = Parts(generated), []
    for number, count in enumerate(counts):
        order = torch.from_numpy(keyed("frechet infinity", len(generated), number).permutation(len(generated)))
        distances.append(frechet_distance(real, parts.gaussian(order.to(generated.device), count)))
    value, error, slope = intercept(counts, distances)
    details = {"slope": slope, "fd_at_all": distances[-1], "smallest_count": float(counts[0])}
    remarks = [rank_remark(len(real.mean), real=real.count, generated=counts[0])]
    remarks += ["the line ends below zero, where no distance is" if value < 0 else None]
    remark = "; ".join(filter(None, remarks)) or None
    return {"fd_inf": Value(value, std_error=error, std_error_of="fit", remark=remark, details=details)}


class FrechetInfinity:
    """`fd_inf` (`fid_inf` on Inception) on every extractor in use, against every real split or imported statistics."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        return [self._on(context, name, real) for name in context.extractors() for real in context.references(name)]

    def _on(self, context: MetricContext, extractor: str, real: Evidence[Gaussian]) -> Measurement:
        generated = context.features(context.generated(), extractor)
        smallest = smallest_count(generated.items())
        protocol = context.protocol(
            named(context, extractor, inception="fid_inf", other="fd_inf"),
            Term("points", POINTS, f"{POINTS}points"),
            Term("smallest_count", smallest, f"from{smallest}"),
            Term("subsets", "fresh, without replacement", "fresh"),
            real=real,
            generated=generated,
        )
        evidence: dict[str, Evidence[Any]] = {"real": real, "generated": generated}
        return Measurement(evidence, fd_inf, {"fd_inf": protocol}, {"real": 2, "generated": least_count()})
