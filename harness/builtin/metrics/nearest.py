"""The nearest of many points to each of some others, found without a matrix of all pairs.

Distances in tiles come from products, which lose digits where points nearly coincide; so a few more candidates are kept
than are asked for, and their distances are taken anew from plain differences. A copy is at distance 0 exactly.
M: queries, N: points, d: features.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from harness.builtin.metrics.distances import Placed, exact, parts, placed
from harness.errors import EvaluationError

#: candidates beyond those asked for
SPARE = 4


class Nearest(NamedTuple):
    """The nearest points of each query, nearest first; of equals the first, where candidates suffice.

    Those that products cannot tell from the k-th compete for k + SPARE places: where there are more of them, copies for
    instance, it may be any that are named, and what stands beside each is its own distance.

    :ivar squared: squared distances, float64 [M, k].
    :ivar which: numbers of the points, int64 [M, k].
    """

    squared: Tensor
    which: Tensor


def nearest(queries: Tensor, points: Tensor, k: int, *, leaving_out: Tensor | None = None) -> Nearest:
    """The k nearest of points [N, d] to each of the queries [M, d].

    :param leaving_out: for each query the number of one point that does not count (itself), int64 [M].
    :raises EvaluationError: where there are fewer than k points that count.
    """
    count = len(points) - (leaving_out is not None)
    if count < k:
        raise EvaluationError(f"the {k} nearest of {count} points cannot be found")
    here, there = placed(queries, points)
    most = min(k + SPARE, count)
    found = [_of_rows(here, rows, there, most, k, leaving_out) for rows in parts(len(queries))]
    squared = torch.cat([each.squared for each in found]) / here.scale**2
    return Nearest(squared, torch.cat([each.which for each in found]))


def _of_rows(here: Placed, rows: slice, there: Placed, most: int, k: int, leaving_out: Tensor | None) -> Nearest:
    """The nearest of all points to a few queries, in the scale of both."""
    mine = here.rows(rows, torch.float64)
    bounds = mine.new_full((len(mine), 0), 0.0)
    which = torch.empty(len(mine), 0, dtype=torch.int64, device=mine.device)
    for columns in parts(len(there.points)):
        other = there.rows(columns, torch.float64)
        squared = (there.norms[columns] - 2.0 * mine @ other.T).add_(here.norms[rows, None])  # [R, C]
        numbers = torch.arange(columns.start, columns.stop, device=mine.device).expand(len(mine), -1)
        if leaving_out is not None:
            squared[numbers == leaving_out[rows, None]] = float("inf")
        bounds, which = torch.cat([bounds, squared], 1), torch.cat([which, numbers], 1)
        bounds, kept = bounds.topk(min(most, bounds.shape[1]), largest=False)
        which = which.gather(1, kept)
    which = which.sort(1).values  # of equal candidates the first
    query = torch.arange(rows.start, rows.stop, device=mine.device).repeat_interleave(which.shape[1])
    squared = exact(here, query, there, which.flatten()).reshape(which.shape)
    squared, order = squared.sort(dim=1, stable=True)
    return Nearest(squared[:, :k], which.gather(1, order)[:, :k])
