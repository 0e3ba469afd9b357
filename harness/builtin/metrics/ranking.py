"""How well one number tells two classes apart: exact areas and rates, from the order of the scores alone.

Positives should score higher than negatives. Scores may be infinite, because only their order is used; equal scores
tie. P: positives, N: negatives.
"""

from __future__ import annotations

import torch
from torch import Tensor


def auroc(positives: Tensor, negatives: Tensor) -> tuple[float, float | None]:
    """Area under the ROC curve and its standard error: P(positive > negative) + P(tie) / 2.

    The standard error is that of DeLong et al. 1988 for a single curve: both classes are drawn anew. None where a class
    has fewer than 2 items; 0 where the classes lie fully apart, whatever their number.

    :param positives: scores [P].
    :param negatives: scores [N].
    """
    of_positives = share_below(positives, negatives)  # [P]
    area = float(of_positives.mean())
    if min(len(positives), len(negatives)) < 2:
        return area, None
    of_negatives = 1.0 - share_below(negatives, positives)  # [N]
    variance = of_positives.var() / len(positives) + of_negatives.var() / len(negatives)
    return area, float(variance.sqrt())


def share_below(points: Tensor, others: Tensor) -> Tensor:
    """The share of `others` [M] below each point [n], ties half: float64 [n]."""
    ordered = others.sort().values
    below, up_to = (torch.searchsorted(ordered, points.contiguous(), right=right) for right in (False, True))
    return (below + up_to).double() / (2 * len(others))


def average_precision(positives: Tensor, negatives: Tensor) -> float:
    """Area under the precision-recall curve as a sum of steps: each new threshold's recall gain times its precision.

    Thresholds are the distinct scores, so that ties count together; no line is drawn between points.
    """
    scores, inverse = torch.cat([positives, negatives]).unique(return_inverse=True)
    hits, misses = (
        torch.bincount(part, minlength=len(scores)).flip(0).cumsum(0).double()
        for part in inverse.split([len(positives), len(negatives)])
    )
    gains = torch.diff(hits, prepend=hits.new_zeros(1)) / len(positives)
    return float((gains * hits / (hits + misses)).sum())


def fpr_at_tpr(positives: Tensor, negatives: Tensor, percent: int) -> float:
    """Share of negatives at or above the highest threshold that at least `percent` of positives reach."""
    needed = -(-percent * len(positives) // 100)  # rounded up, in whole numbers
    threshold = positives.sort(descending=True).values[needed - 1]
    return float((negatives >= threshold).double().mean())


def auroc_every_nth(positives: Tensor, negatives: Tensor, every: int) -> float:
    """Area under the trapezoids between the points of every n-th negative as a threshold (Cho 2025, section 4.3.2).

    Negatives in descending order give the thresholds 0, n, 2 n, ...; both rates count scores strictly above. The point
    (1, 1) is added at the end, and (0, 0) is not at the beginning: the first point has no false positives already.
    """
    thresholds = negatives.sort(descending=True).values[::every]
    false, true = (
        torch.cat([_share_above(scores, thresholds), thresholds.new_ones(1, dtype=torch.float64)])
        for scores in (negatives, positives)
    )
    return float(torch.trapezoid(true, false))


def _share_above(scores: Tensor, thresholds: Tensor) -> Tensor:
    """The share of scores strictly above each threshold, float64 [T]."""
    ordered = scores.sort().values
    return 1.0 - torch.searchsorted(ordered, thresholds.contiguous(), right=True).double() / len(scores)
