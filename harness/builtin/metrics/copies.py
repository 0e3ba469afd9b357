"""Points that occur more than once: a collapsed generator makes the same image over and over.

Copies are at distance zero, which bounds on rounded distances never prove, and all of them are equally far from
anything else. So distances are taken between distinct points, and counted as often as they occur. N: points, G:
distinct ones, d: features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.randomness import keyed

#: points that are looked at at once
ROWS = 256


@dataclass(frozen=True)
class Distinct:
    """The distinct ones among points.

    :param points: [G, d]; the points themselves where no two are the same.
    :param which: number of the distinct point that each point is, int64 [N].
    :param counts: how often each occurs, int64 [G].
    """

    points: Tensor
    which: Tensor
    counts: Tensor


def distinct(points: Tensor) -> Distinct:
    """Points [N, d] without their copies, in any order."""
    _, which, counts = torch.unique(_hashes(points), return_inverse=True, return_counts=True)
    if len(counts) == len(points):
        return Distinct(points, torch.arange(len(points), device=points.device), torch.ones_like(counts))
    first = _places(which, counts, 1)
    if not _are_copies(points, first[which]):
        # different points with one hash: not to be expected in anybody's lifetime, but not impossible
        _, which, counts = torch.unique(points, dim=0, return_inverse=True, return_counts=True)
        first = _places(which, counts, 1)
    return Distinct(points[first], which, counts)


def thinned(points: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """At most so many copies of each of points [N, d], and for every point the number of a copy among them, [N]."""
    found = distinct(points)
    places = _places(found.which, found.counts, most)
    if len(places) == len(points):
        return points, torch.arange(len(points), device=points.device)
    copy = torch.empty_like(found.counts)
    copy[found.which[places]] = torch.arange(len(places), device=points.device)
    return points[places], copy[found.which]


def _places(which: Tensor, counts: Tensor, most: int) -> Tensor:
    """Where the first so many copies of each distinct point stand, one distinct point after the other."""
    order = which.argsort(stable=True)
    rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    return order[rank < most]


def _are_copies(points: Tensor, places: Tensor) -> bool:
    """Whether every point [N, d] is the same as the one at its place [N]."""
    pairs = zip(points.split(ROWS), places.split(ROWS), strict=True)
    return all(bool((rows == points[part]).all()) for rows, part in pairs)


def _hashes(points: Tensor) -> Tensor:
    """A whole number for each point, int64 [N], the same for the same point wherever it stands."""
    weights = torch.from_numpy(keyed("hash of points").integers(2**63, size=points.shape[1]) | 1).to(points.device)
    return torch.cat([(_bits(rows) * weights).sum(1) for rows in points.split(ROWS)])


def _bits(rows: Tensor) -> Tensor:
    """Numbers as whole numbers, int64, both zeros alike. High bits are brought down: float32 leaves the low ones 0."""
    bits = (rows.double() + 0.0).view(torch.int64)
    return bits ^ (bits >> 29)
