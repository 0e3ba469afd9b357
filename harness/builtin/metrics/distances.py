"""Squared Euclidean distances of many pairs: proven bounds for all, exact values for the few that bounds leave open.

A matrix product in float32 is twice as fast as in float64 and tells most pairs apart. What it cannot tell follows from
how far rounding can move a sum, whatever its order (Higham 2002, section 3.1): with unit roundoff u, a chain of m
additions and products is off by at most gamma = m u / (1 - m u) times the sum of magnitudes. Hence, for points x and y
about a common centre and n = |x|^2 + |y|^2, the computed (1 - s) n - 2 x.y is at most |x - y|^2 and short of it by at
most 2 s n, where the share s comes from the sources of error:

- the product and the sum with the norms: 2 gamma n, since 2 |x.y| <= n;
- the norms themselves, summed in float64: gamma n of that precision;
- points that were rounded to the precision, norms likewise, and the first sum: less than 8 u n.

N, M: points, d: features, P: pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: more than all products that underflow can add up to, in the scale of :func:`placed`
FLOOR = 2.0**-100

#: points of either set in a tile of pairs
TILE = 1024

#: features multiplied at once in float64; a short chain has a small error
DEPTH = 512

#: values that are held at once (2 MiB of float64)
VALUES = 2**18


@dataclass(frozen=True)
class Placed:
    """Points seen from a centre, in a scale in which no norm exceeds 1, so that distances keep their digits.

    :param points: as given, [N, d].
    :param centre: float64 [d].
    :param scale: a power of two, so that scaling rounds nothing.
    :param norms: squared norms about the centre in the scale, float64 [N].
    """

    points: Tensor
    centre: Tensor
    scale: float
    norms: Tensor

    def rows(self, which: slice | Tensor, dtype: torch.dtype) -> Tensor:
        """Some points in place, [rows, d]."""
        chosen = self.points[which]
        found = torch.empty(chosen.shape, dtype=dtype, device=chosen.device)
        for part in parts(len(chosen), _step(chosen)):
            found[part] = (chosen[part] - self.centre).mul_(self.scale)  # in the centre's float64
        return found


def placed(*sets: Tensor) -> list[Placed]:
    """Sets [N, d] of finite points seen from the mean of all, in one scale."""
    sums = [rows.sum(0, dtype=torch.float64) for points in sets for rows in points.split(_step(points))]
    centre = torch.stack(sums).sum(0) / sum(map(len, sets))
    norms = [torch.cat([_norms(rows - centre) for rows in points.split(_step(points))]) for points in sets]
    largest = max(float(each.max()) for each in norms)
    scale = 2.0 ** -math.ceil(math.log2(largest) / 2) if largest > 0 else 1.0
    return [Placed(points, centre, scale, each * scale**2) for points, each in zip(sets, norms, strict=True)]


def parts(count: int, rows: int = TILE) -> list[slice]:
    """0 to count - 1 in consecutive parts."""
    return [slice(start, min(start + rows, count)) for start in range(0, count, rows)]


def _step(points: Tensor) -> int:
    """Points [N, d] that are converted at once."""
    return max(1, VALUES // points.shape[1])


def _norms(rows: Tensor) -> Tensor:
    """Squared norms, summed in short chains."""
    return torch.stack([part.square().sum(1) for part in rows.split(DEPTH, 1)]).sum(0)


@dataclass(frozen=True)
class Precision:
    """Arithmetic in which distances are bounded.

    :param depth: features multiplied at once; None for all.
    """

    dtype: torch.dtype
    depth: int | None

    def share(self, size: int) -> float:
        """s of the bounds for points of `size` features."""
        unit = torch.finfo(self.dtype).eps / 2
        depth = size if self.depth is None else min(size, self.depth)
        chain = (depth + math.ceil(size / depth) + 1) * unit
        return 3.0 * chain / (1.0 - chain) + 8.0 * unit


COARSE = Precision(torch.float32, None)
FINE = Precision(torch.float64, DEPTH)


def lower_bounds(
    rows: Tensor, row_norms: Tensor, columns: Tensor, column_norms: Tensor, precision: Precision
) -> Tensor:
    """What squared distances are at least: points in place [R, d] and [C, d] with their squared norms to [R, C]."""
    keep = 1.0 - precision.share(rows.shape[1])
    low = (keep * row_norms - FLOOR).to(precision.dtype)[:, None] + (keep * column_norms).to(precision.dtype)
    if precision.depth is None:
        return low.addmm_(rows, columns.T, alpha=-2.0)
    for left, right in zip(rows.split(precision.depth, 1), columns.split(precision.depth, 1), strict=True):
        low.sub_(left @ right.T, alpha=2.0)
    return low


def above(low: Tensor, norms: Tensor, size: int, precision: Precision) -> Tensor:
    """What squared distances with these lower bounds are at most, float64.

    :param norms: |x|^2 + |y|^2 of each pair.
    """
    return low.double() + (2.0 * precision.share(size) * norms + 2.0 * FLOOR)


def exact(a: Placed, i: Tensor, b: Placed, j: Tensor) -> Tensor:
    """Squared distances of pairs [P] of points a[i] and b[j], float64 [P] in their scale, from plain differences."""
    squared = a.norms.new_empty(len(i))
    for part in parts(len(i), _step(a.points)):
        gap = a.points[i[part]].double()
        squared[part] = gap.sub_(b.points[j[part]]).mul_(a.scale).square_().sum(1)
    return squared


def smallest(group: Tensor, values: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """By group, the smallest values and where they stand.

    :param group: whole numbers [P].
    :param values: [P].
    :returns: groups that occur [G], ascending; their values [G, most], ascending, with inf where there are fewer; their
        places in `values`, -1 where there are fewer.
    """
    order = values.argsort()
    order = order[group[order].argsort(stable=True)]
    found, counts = torch.unique_consecutive(group[order], return_counts=True)
    rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts).repeat_interleave(counts)
    row = torch.arange(len(found), device=order.device).repeat_interleave(counts)
    kept = rank < most
    best = values.new_full((len(found), most), float("inf"))
    places = order.new_full((len(found), most), -1)
    best[row[kept], rank[kept]] = values[order[kept]]
    places[row[kept], rank[kept]] = order[kept]
    return found, best, places
