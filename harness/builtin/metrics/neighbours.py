"""Manifolds of k-nearest-neighbour balls: precision and recall, density and coverage.

Kynkäänniemi et al. 2019 (improved precision and recall): a set's manifold is the union of balls around its members,
each reaching to the member's k-th nearest neighbour in the set, border included (their eq. 1). Naeem et al. 2020
(density, coverage): balls around real members only, border left out, as in the authors' code.

Distances are computed a band of rows at a time; no N x M matrix is ever held. N: real, M: generated, d: features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation import Features, Measurement, Offer, Term, Value

#: distances held at once (32 MiB of float64)
DISTANCES = 2**22

#: a distance and a radius that differ by less than this share are equal: one of them is the other, rounded differently
TIE = 1e-9

#: squared distances below this share of the squared norms are rounding error: the points are the same
SAME = 1e-12


@dataclass(frozen=True)
class Balls:
    """Which neighbour a ball reaches to, and whether its border belongs to it."""

    k: int
    closed: bool

    def terms(self) -> tuple[Term, Term]:
        """For the protocol."""
        border = "closed" if self.closed else "open"
        return Term("k", self.k, f"k{self.k}"), Term("balls", border, border)


PRECISION_RECALL = Balls(3, closed=True)
DENSITY_COVERAGE = Balls(5, closed=False)


def squared_distances(a: Tensor, b: Tensor, rows: int | None = None) -> Iterator[tuple[slice, Tensor]]:
    """Squared Euclidean distances between a [N, d] and b [M, d], band by band: (rows of a, float64 [rows, M]).

    Each band may be overwritten by the caller.

    :param rows: rows a band; chosen by the memory at hand where not given.
    """
    rows = rows or max(1, DISTANCES // len(b))
    centre = b.mean(0, dtype=torch.float64)  # distances do not change, and small numbers keep their digits
    columns = max(1, DISTANCES // (4 * b.shape[1]))
    norms_b = torch.cat([(part.double() - centre).square().sum(1) for part in b.split(columns)])  # [M]
    for start in range(0, len(a), rows):
        band = a[start : start + rows].double() - centre
        squared = torch.empty(len(band), len(b), dtype=torch.float64)
        for first in range(0, len(b), columns):
            part = b[first : first + columns].double() - centre  # once more for each band: cheaper than to hold it
            squared[:, first : first + columns] = band @ part.T
        norms = band.square().sum(1)[:, None] + norms_b  # [rows, M]
        squared.mul_(-2.0).add_(norms)
        squared.masked_fill_(squared < norms.mul_(SAME), 0.0)
        yield slice(start, start + len(band)), squared


def squared_radii(points: Tensor, ks: Sequence[int], rows: int | None = None) -> dict[int, Tensor]:
    """For each k, the squared distance [N] from each point to its k-th nearest other point."""
    nearest = torch.empty(len(points), max(ks) + 1, dtype=torch.float64)
    for band, squared in squared_distances(points, points, rows):
        # a point is at distance 0 from itself, and counts once
        nearest[band] = squared.topk(max(ks) + 1, largest=False).values
    return {k: nearest[:, k] for k in ks}


def neighbour_metrics(
    *,
    real: Tensor,
    generated: Tensor,
    precision_recall: Balls = PRECISION_RECALL,
    density_coverage: Balls = DENSITY_COVERAGE,
    rows: int | None = None,
) -> dict[str, Value]:
    """Features of real [N, d] and generated [M, d] images to all four numbers, in one pass over each pair of sets.

    - precision: share of generated samples inside some real ball; recall: the reverse.
    - density: real balls that a generated sample is in, averaged and divided by k; may exceed 1.
    - coverage: share of real balls that hold a generated sample.

    :raises EvaluationError: where a set has no k-th neighbour.
    """
    ks = sorted({precision_recall.k, density_coverage.k})
    _check_counts(real, generated, max(ks))
    real_radii = squared_radii(real, ks, rows)
    generated_radii = squared_radii(generated, [precision_recall.k], rows)[precision_recall.k]  # [M]

    precise = torch.zeros(len(generated), dtype=torch.bool)
    density = torch.zeros(len(generated), dtype=torch.float64)
    recalled = torch.zeros(len(real), dtype=torch.bool)
    covered = torch.zeros(len(real), dtype=torch.bool)
    for band, squared in squared_distances(real, generated, rows):  # [rows, M]
        precise |= _inside(squared, real_radii[precision_recall.k][band, None], precision_recall.closed).any(0)
        recalled[band] = _inside(squared, generated_radii, precision_recall.closed).any(1)
        held = _inside(squared, real_radii[density_coverage.k][band, None], density_coverage.closed)
        density += held.sum(0)
        covered[band] = held.any(1)
    return {
        "precision": Value(_share(precise)),
        "recall": Value(_share(recalled)),
        "density": Value(float(density.mean()) / density_coverage.k),
        "coverage": Value(_share(covered)),
    }


def _inside(squared: Tensor, radius: Tensor, closed: bool) -> Tensor:
    return squared <= radius * (1.0 + TIE) if closed else squared < radius * (1.0 - TIE)


def _share(members: Tensor) -> float:
    return float(members.double().mean())


def _check_counts(real: Tensor, generated: Tensor, k: int) -> None:
    for role, points in (("real", real), ("generated", generated)):
        if len(points) <= k:
            raise EvaluationError(
                f"neighbour metrics with k = {k} need at least {k + 1} {role} samples, not {len(points)}",
                "raise --set evaluation.samples and evaluation.neighbours_samples",
            )
    if real.shape[1] != generated.shape[1]:
        raise EvaluationError(f"features of {real.shape[1]} and of {generated.shape[1]} dimensions cannot be compared")


class Neighbours:
    """`precision`, `recall`, `density` and `coverage` on every extractor in use."""

    def measurements(self, offer: Offer) -> Sequence[Measurement]:
        return [self._on(offer, name) for name in offer.extractors()]

    def _on(self, offer: Offer, extractor: str) -> Measurement:
        most = offer.settings.neighbours_samples
        real = Features(offer.real(most), extractor)
        generated = Features(offer.generated(most), extractor)
        balls = dict.fromkeys(("precision", "recall"), PRECISION_RECALL)
        balls |= dict.fromkeys(("density", "coverage"), DENSITY_COVERAGE)
        protocols = {
            name: offer.protocol(name, *which.terms(), real=real, generated=generated) for name, which in balls.items()
        }
        least = dict.fromkeys(("real", "generated"), max(PRECISION_RECALL.k, DENSITY_COVERAGE.k) + 1)
        return Measurement({"real": real, "generated": generated}, neighbour_metrics, protocols, least)
