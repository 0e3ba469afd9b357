"""The graph that Eq. (5) sums over: the k nearest neighbours of every training sample, and draws from them."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.contracts import Draws

Nearness = Literal["cosine", "euclidean"]


def neighbour_lists(features: Tensor, k: int, block: int = 2048, nearness: Nearness = "cosine") -> Tensor:
    """Each sample and its k nearest others, nearest first; of equally near ones, those of smaller index.

    Exact: all pairs are compared, `block` x `block` of them at a time, so that memory grows with N only by the features
    and the result. The same call gives the same lists; another block size may order differently what differs by less
    than rounding. Wants float32 or float64 without TF32. Without gradient.

    :param features: float [N, F].
    :param k: from 1 to N - 1.
    :param block: samples a side, at least 1.
    :param nearness: ``cosine`` is the inner product of normalised features; ``euclidean`` is for points of few
        dimensions, whose differences are taken one by one, so that nothing cancels.
    :returns: int64 [N, k + 1] on the features' device; the first of row i is i itself.
    :raises ValueError: where there are no k others.
    """
    n = len(features)
    if not 1 <= k < n:
        raise ValueError(f"{n} samples have 1 to {n - 1} neighbours each, not {k}")
    features = features.detach()
    if nearness == "cosine":
        features = F.normalize(features, dim=1)
    index = torch.arange(n, device=features.device)
    rows = [
        torch.cat([mine[:, None], _nearest_others(features, mine, k, block, nearness)], 1)
        for mine in index.split(block)
    ]
    return torch.cat(rows)


def drawn_neighbours(lists: Tensor, index: Tensor, draws: Draws) -> Tensor:
    """One uniform draw from the list of each anchor, which may be the anchor itself.

    :param lists: int64 [N, k + 1], of :func:`neighbour_lists`.
    :param index: int64 [B], the anchors.
    :returns: int64 [B].
    """
    return lists[index, draws.integers(lists.shape[1], len(index))]


def _nearest_others(features: Tensor, mine: Tensor, k: int, block: int, nearness: Nearness) -> Tensor:
    """Neighbours of the samples `mine` int64 [B], int64 [B, k], nearest first."""
    # to begin with, k places that are farther than any sample: all are taken in the end, as there are k others
    near = features.new_full((len(mine), k), -torch.inf)
    found = torch.full((len(mine), k), -1, device=mine.device)
    for theirs in torch.arange(len(features), device=mine.device).split(block):
        likeness = _likeness(features[mine], features[theirs], nearness)
        likeness = likeness.masked_fill(mine[:, None] == theirs, -torch.inf)
        # earlier finds come first and have smaller indices: among equals, a smaller column is a smaller index
        near = torch.cat([near, likeness], 1)
        chosen = _largest(near, k)
        near = near.gather(1, chosen)
        found = torch.where(chosen < k, found.gather(1, chosen.clamp(max=k - 1)), theirs[0] + chosen - k)
    return found


def _likeness(a: Tensor, b: Tensor, nearness: Nearness) -> Tensor:
    """Larger is nearer, [A, B]."""
    if nearness == "cosine":
        return a @ b.T
    return -torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _largest(values: Tensor, k: int) -> Tensor:
    """Columns of the k largest of each row, largest first, of equal ones the smaller column; int64 [B, k].

    Rows are longer than k. A stable sort of them says the same, but is slow; topk is fast, but takes any of several
    equal values.
    """
    largest, columns = values.topk(k + 1, dim=1)
    columns = columns[:, :k]
    tied = largest[:, k] == largest[:, k - 1]  # which of several equal ones get the last places is open in these rows
    if tied.any():
        columns = columns.clone()
        columns[tied] = _largest_of_tied(values[tied], largest[tied, k - 1 : k], k)
    columns = columns.sort(1).values
    order = values.gather(1, columns).argsort(dim=1, descending=True, stable=True)
    return columns.gather(1, order)


def _largest_of_tied(values: Tensor, least: Tensor, k: int) -> Tensor:
    """Columns of all values above `least` [B, 1] and of the first that equal it, k a row, by column; int64 [B, k]."""
    above, level = values > least, values == least
    room = k - above.sum(1, keepdim=True)
    taken = above | (level & (level.cumsum(1, dtype=torch.int32) <= room))
    return taken.nonzero()[:, 1].view(len(values), k)
