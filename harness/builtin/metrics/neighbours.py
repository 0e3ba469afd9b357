"""Manifolds of k-nearest-neighbour balls: precision and recall, density and coverage.

Kynkäänniemi et al. 2019 (improved precision and recall): a set's manifold is the union of balls around its members,
each reaching to the member's k-th nearest neighbour in the set, border included (their eq. 1). Naeem et al. 2020
(density, coverage): balls around real members only, border left out, as in the authors' code.

Every comparison comes out as in float64; no N x M matrix is ever held. N: real, M: generated, d: features, P: pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harness import full_precision
from harness.builtin.metrics.copies import Distinct, distinct
from harness.builtin.metrics.crossings import near_pairs
from harness.builtin.metrics.estimates import mean_of, share_of
from harness.builtin.metrics.neighbours_settings import NeighboursSettings
from harness.builtin.metrics.radii import squared_radii
from harness.errors import EvaluationError
from harness.evaluation import Measurement, MetricContext, Protocol, Term, Value

#: rows that are looked at at once
ROWS = 1024

#: a distance and a radius that differ by less than this share are equal: one of them is the other, rounded differently
TIE = 1e-9


@dataclass(frozen=True)
class Balls:
    """Which neighbour a ball reaches to, and whether its border belongs to it."""

    k: int
    closed: bool

    def terms(self) -> tuple[Term, Term]:
        """For the protocol."""
        border = "closed" if self.closed else "open"
        return Term("k", self.k, f"k{self.k}"), Term("balls", border, border)

    def edges(self, radii: Mapping[int, Tensor]) -> Tensor:
        """Squared distances [N] up to which a point is inside (closed), or from which on it is outside (open)."""
        return radii[self.k] * (1.0 + TIE if self.closed else 1.0 - TIE)


def balls_of(settings: NeighboursSettings) -> tuple[tuple[Balls, ...], Balls]:
    """Balls of precision and recall, and those of density and coverage, with the borders that their authors use."""
    closed = tuple(Balls(k, closed=True) for k in settings.precision_recall_k)
    return closed, Balls(settings.density_coverage_k, closed=False)


class Manifold:
    """Balls around the points of one set, and which points of another set they hold.

    :param centres: the points that balls are around, N of which G are distinct.
    :param points: the other set, M of which H are distinct.
    :param radii: squared, by k, float64 [N].
    :ivar edges: of the balls around distinct points, float64 [G].
    """

    def __init__(self, balls: Balls, centres: Distinct, points: Distinct, radii: Mapping[int, Tensor]) -> None:
        self.balls, self.centres, self.points = balls, centres, points
        self.edges = torch.empty(len(centres.counts), dtype=torch.float64, device=centres.points.device)
        self.edges[centres.which] = balls.edges(radii)  # copies have one radius
        self._holds = torch.zeros_like(centres.counts, dtype=torch.bool)
        self._inside = torch.zeros_like(points.counts)

    @property
    def holds(self) -> Tensor:
        """Whether each ball holds any point, bool [N]."""
        return self._holds[self.centres.which]

    @property
    def inside(self) -> Tensor:
        """How many balls each point is in, int64 [M]."""
        return self._inside[self.points.which]

    def see(self, centres: Tensor, points: Tensor, squared: Tensor) -> None:
        """Pairs of distinct centres and points with their squared distances, each [P]; no pair is seen twice."""
        edges = self.edges[centres]
        held = squared <= edges if self.balls.closed else squared < edges
        self._holds[centres[held]] = True
        self._inside.index_add_(0, points[held], self.centres.counts[centres[held]])


def neighbour_metrics(
    *,
    real: Tensor,
    generated: Tensor,
    precision_recall: Sequence[Balls],
    density_coverage: Balls,
) -> dict[str, Value]:
    """Features of real [N, d] and generated [M, d] images to all numbers, in one pass over each pair of sets.

    - `precision_k3`: share of generated samples inside some real ball; `recall_k3`: the reverse; likewise other k.
    - `density`: real balls that a generated sample is in, averaged and divided by k; may exceed 1.
    - `coverage`: share of real balls that hold a generated sample.

    Standard errors are those of independent draws while the balls stay where they are: for precision and density over
    draws of the M generated samples, for recall and coverage over draws of the N real items that are counted. What
    other balls would change comes on top: where the side that balls are around is drawn anew, which for coverage is
    the counted side itself, values spread wider, by half as much again and by more where a share is near 0 or 1.

    :raises EvaluationError: where a set has no k-th neighbour, or features are not finite.
    """
    ks = sorted({balls.k for balls in (*precision_recall, density_coverage)})
    _check(real, generated, ks[-1])
    with torch.no_grad(), full_precision(real.device):
        ours, theirs = distinct(real), distinct(generated)
        radii = squared_radii(real, ks)
        of_real = [Manifold(balls, ours, theirs, radii) for balls in (*precision_recall, density_coverage)]
        radii = squared_radii(generated, sorted({balls.k for balls in precision_recall}))
        of_generated = [Manifold(balls, theirs, ours, radii) for balls in precision_recall]
        edges = [[manifold.edges for manifold in each] for each in (of_real, of_generated)]
        for i, j, squared in near_pairs(ours.points, theirs.points, *edges):
            for manifold in of_real:
                manifold.see(i, j, squared)
            for manifold in of_generated:
                manifold.see(j, i, squared)
    return _values(of_real, of_generated)


def _values(of_real: Sequence[Manifold], of_generated: Sequence[Manifold]) -> dict[str, Value]:
    *precise, dense = of_real
    found = {f"precision_k{manifold.balls.k}": share_of(manifold.inside > 0) for manifold in precise}
    found |= {f"recall_k{manifold.balls.k}": share_of(manifold.inside > 0) for manifold in of_generated}
    found["density"] = mean_of(dense.inside.double() / dense.balls.k)
    found["coverage"] = share_of(dense.holds)
    return found


def _check(real: Tensor, generated: Tensor, k: int) -> None:
    for role, points in (("real", real), ("generated", generated)):
        if len(points) <= k:
            raise EvaluationError(
                f"neighbour metrics with k = {k} need at least {k + 1} {role} samples, not {len(points)}",
                "raise --set evaluation.samples and evaluation.neighbours_samples",
            )
    if real.shape[1] != generated.shape[1]:
        raise EvaluationError(f"features of {real.shape[1]} and of {generated.shape[1]} dimensions cannot be compared")
    if not all(bool(rows.isfinite().all()) for points in (real, generated) for rows in points.split(ROWS)):
        raise EvaluationError("features hold values that are not finite: there are no distances between them")


class Neighbours:
    """`precision`, `recall`, `density` and `coverage` on every extractor in use, against every real split."""

    def __init__(self, settings: NeighboursSettings) -> None:
        self.precision_recall, self.density_coverage = balls_of(settings)

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        return [self._on(context, name, split) for name in context.extractors() for split in context.splits()]

    def _on(self, context: MetricContext, extractor: str, split: str) -> Measurement:
        most = context.settings.neighbours_samples
        real = context.features(context.real(most, split), extractor)
        generated = context.features(context.generated(most), extractor)

        def protocol(name: str, balls: Balls) -> Protocol:
            return context.protocol(name, *balls.terms(), real=real, generated=generated)

        protocols = {
            f"{name}_k{balls.k}": protocol(name, balls)
            for balls in self.precision_recall
            for name in ("precision", "recall")
        }
        protocols |= {name: protocol(name, self.density_coverage) for name in ("density", "coverage")}
        largest = max(balls.k for balls in (*self.precision_recall, self.density_coverage))
        least = dict.fromkeys(("real", "generated"), largest + 1)
        compute = partial(
            neighbour_metrics, precision_recall=self.precision_recall, density_coverage=self.density_coverage
        )
        return Measurement({"real": real, "generated": generated}, compute, protocols, least)
