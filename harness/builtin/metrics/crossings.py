"""Pairs of points of two sets that are near each other, with distances that are exact wherever it matters.

Some edges are given around each point. A pair whose bounds leave no edge open needs no exact distance: any value
between its bounds is on the same side of every edge. N, M: points, d: features, P: pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.builtin.metrics.distances import (
    COARSE,
    FINE,
    FLOOR,
    Placed,
    above,
    exact,
    lower_bounds,
    parts,
    placed,
)

#: share of a tile's pairs from which on it is cheaper to bound all of them again in float64 than to measure each
MANY = 1.0 / 64


def near_pairs(
    a: Tensor, b: Tensor, edges_a: Sequence[Tensor], edges_b: Sequence[Tensor]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """All pairs of points a [N, d] and b [M, d] within the widest edge of either, in parts.

    :param edges_a: squared distances, float64 [N] each, that pairs will be compared with, around points of a.
    :param edges_b: the same around points of b, float64 [M] each.
    :returns: numbers in a, numbers in b, and float64 [P] on the same side of each edge as the squared distance. Pairs
        that are a little farther apart may be among them.
    """
    here, there = placed(a, b)
    tiles = Tiles(here, there, [edges * here.scale**2 for edges in edges_a], [e * here.scale**2 for e in edges_b])
    columns = there.rows(slice(None), COARSE.dtype)
    for left in parts(len(a)):
        rows = here.rows(left, COARSE.dtype)
        for right in parts(len(b)):
            low = lower_bounds(rows, here.norms[left], columns[right], there.norms[right], COARSE)
            i, j, squared = tiles.within(left, right, low)
            if len(i):
                yield i, j, squared / here.scale**2


@dataclass(frozen=True)
class Tiles:
    """Two sets in one scale, with edges around their points in that scale."""

    a: Placed
    b: Placed
    edges_a: Sequence[Tensor]
    edges_b: Sequence[Tensor]

    def within(self, left: slice, right: slice, low: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pairs of a tile, by float32 lower bounds of their squared distances [R, C], that may be within an edge."""
        row, column = self._near(left, right, low).nonzero(as_tuple=True)
        i, j = row + left.start, column + right.start
        norms, size = self.a.norms[i] + self.b.norms[j], self.a.points.shape[1]
        pairs, low = low.numel(), low[row, column].double()
        high = above(low, norms, size, COARSE)
        open_ = self._open(i, j, low, high)
        if int(open_.sum()) > MANY * pairs:
            low = self._fine(left, right)[row, column]
            high = above(low, norms, size, FINE)
            open_ = self._open(i, j, low, high)
        high[open_] = exact(self.a, i[open_], self.b, j[open_])
        return i, j, high

    def _near(self, left: slice, right: slice, low: Tensor) -> Tensor:
        """Whether each pair of a tile may be within the widest edge of either point, bool [R, C]."""
        near = torch.zeros_like(low, dtype=torch.bool)
        if self.edges_a:
            near |= low <= _widest([edges[left] for edges in self.edges_a])[:, None]
        if self.edges_b:
            near |= low <= _widest([edges[right] for edges in self.edges_b])
        return near

    def _open(self, i: Tensor, j: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Whether pairs between these bounds may be on either side of some edge."""
        found = torch.zeros_like(i, dtype=torch.bool)
        for edges in (*(each[i] for each in self.edges_a), *(each[j] for each in self.edges_b)):
            found |= (low <= edges) & (edges <= high)
        return found

    def _fine(self, left: slice, right: slice) -> Tensor:
        rows, columns = self.a.rows(left, FINE.dtype), self.b.rows(right, FINE.dtype)
        return lower_bounds(rows, self.a.norms[left], columns, self.b.norms[right], FINE)


def _widest(edges: Sequence[Tensor]) -> Tensor:
    """The widest edge around each point [R], not rounded down in float32."""
    return (torch.stack(list(edges)).amax(0) * (1.0 + 2.0**-20) + FLOOR).float()
