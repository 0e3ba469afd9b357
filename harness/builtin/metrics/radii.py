"""How far it is from each point of a set to its k-th nearest other point, exactly and without most of the work.

Every pair is bounded once, in float32 (distances are symmetric), a square tile at a time. Each point keeps a shortlist
of the others with the smallest lower bounds; those that may be among the k nearest are measured exactly. A point whose
shortlist may lack one (many others equally near, or a tight cluster far out) is bounded again in float64.
N: points, d: features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.builtin.metrics.copies import thinned
from harness.builtin.metrics.distances import (
    COARSE,
    FINE,
    Placed,
    above,
    exact,
    lower_bounds,
    parts,
    placed,
    smallest,
)

#: members of a shortlist beyond k
SPARE = 4

#: distances that are bounded at once in float64 (16 MiB)
DISTANCES = 2**21

#: a k-th distance that is known to this share is known: edges differ from it by a thousand times as much
KNOWN = 1e-12


class Shortlists:
    """For each point the others with the smallest lower bounds so far, in order: [N, size]."""

    def __init__(self, count: int, size: int, device: torch.device) -> None:
        self.size = size
        self.bounds = torch.full((count, size), float("inf"), device=device)
        self.others = torch.full((count, size), -1, device=device)

    def see(self, targets: slice, bounds: Tensor, first: int) -> None:
        """Bounds [T, C] from each of the targets to points `first`, `first` + 1, ...; those that are less stay."""
        limit = self.bounds[targets, -1]
        if bool(limit.isinf().any()):
            best, others = bounds.topk(min(self.size, bounds.shape[1]), largest=False)
            self._merge(torch.arange(targets.start, targets.stop, device=bounds.device), best, others + first)
            return
        row, column = (bounds < limit[:, None]).nonzero(as_tuple=True)
        if len(row):
            found, best, places = smallest(row, bounds[row, column], self.size)
            self._merge(found + targets.start, best, column[places] + first)

    def _merge(self, targets: Tensor, bounds: Tensor, others: Tensor) -> None:
        best, chosen = torch.cat([self.bounds[targets], bounds], 1).topk(self.size, largest=False)
        self.bounds[targets] = best
        self.others[targets] = torch.cat([self.others[targets], others], 1).gather(1, chosen)


def squared_radii(points: Tensor, ks: Sequence[int]) -> dict[int, Tensor]:
    """For each k, the squared distance, float64 [N], from each point of [N, d] to its k-th nearest other point.

    There are more points than the largest k.
    """
    few, copy = thinned(points, max(ks) + 1)  # more copies of a point change none of its k nearest
    (here,) = placed(few)
    nearest = _nearest(here, max(ks))[copy] / here.scale**2
    return {k: nearest[:, k - 1] for k in ks}


def _nearest(here: Placed, most: int) -> Tensor:
    """The `most` smallest squared distances of each point to others, ascending, float64 [N, most] in the scale."""
    count, size = here.points.shape
    lists = _shortlists(here, min(most + SPARE, count - 1))
    norms = here.norms[:, None] + here.norms[lists.others]
    reach = above(lists.bounds, norms, size, COARSE).kthvalue(most).values  # the k-th distance is at most this
    open_ = (lists.bounds[:, -1] <= reach) & (lists.size < count - 1)
    row, place = ((lists.bounds <= reach[:, None]) & ~open_[:, None]).nonzero(as_tuple=True)
    _, values, _ = smallest(row, exact(here, row, here, lists.others[row, place]), most)
    nearest = here.norms.new_empty(count, most)
    nearest[~open_] = values
    for rows in open_.nonzero()[:, 0].split(max(1, DISTANCES // count)):
        nearest[rows] = _nearest_of(here, rows, most)
    return nearest


def _shortlists(here: Placed, size: int) -> Shortlists:
    """Made from every pair of different points, each looked at once."""
    count = len(here.points)
    lists = Shortlists(count, size, here.points.device)
    seen = here.rows(slice(None), COARSE.dtype)
    tiles = parts(count)
    for number, left in enumerate(tiles):
        for right in tiles[number:]:
            bounds = lower_bounds(seen[left], here.norms[left], seen[right], here.norms[right], COARSE)
            if left == right:
                bounds.fill_diagonal_(float("inf"))
            else:
                lists.see(right, bounds.T, left.start)
            lists.see(left, bounds, right.start)
    return lists


def _nearest_of(here: Placed, rows: Tensor, most: int) -> Tensor:
    """The same for a few points [R], bounded in float64 against all others, and measured where that does not tell."""
    mine, size = here.rows(rows, FINE.dtype), here.points.shape[1]
    low = torch.cat(
        [
            lower_bounds(mine, here.norms[rows], here.rows(part, FINE.dtype), here.norms[part], FINE)
            for part in parts(len(here.points))
        ],
        1,
    )
    high = above(low, here.norms[rows, None] + here.norms, size, FINE)
    for bounds in (low, high):
        bounds.scatter_(1, rows[:, None], float("inf"))  # not a neighbour of itself
    nearest = high.topk(most, largest=False).values
    told = (nearest - low.topk(most, largest=False).values <= KNOWN * nearest).all(1)
    untold = (~told).nonzero()[:, 0]
    if len(untold):
        row, other = (low[untold] <= nearest[untold, -1:]).nonzero(as_tuple=True)
        _, nearest[untold], _ = smallest(row, exact(here, rows[untold[row]], here, other), most)
    return nearest
