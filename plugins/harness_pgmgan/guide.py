"""The guide: how far a sample is from the partition that its generator was told to fill, and how much that weighs.

Armandpour et al. (2021), "Partition-Guided GANs". Where the partitioner's logits are linear in an expanding map of x
(their Theorem 3), R_i has no local minimum outside of partition i, so that descending it always leads there.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor


def guide(logits: Tensor, partition: Tensor, reduce: Literal["mean", "sum"] = "mean") -> Tensor:
    """R_i(x), Eq. (6): by how much the other partitions' logits exceed that of partition i.

    :param logits: of the partitioner, float [N, k], before any softmax.
    :param partition: int64 [N], the partition i that each sample is meant for, 0 to k - 1.
    :param reduce: over the k classes. The paper writes the sum; the authors trained with the mean, which is the sum
        divided by k, and it is the mean that their weight of 6.0 belongs to.
    :returns: float [N], at least 0; 0 exactly where no logit exceeds that of partition i.
    """
    excess = (logits - logits.gather(1, partition[:, None])).relu()  # Eq. (6)
    return excess.mean(1) if reduce == "mean" else excess.sum(1)


def guide_weight(update: int, start: float = 6.0, floor: float = 1e-4, over: float = 50_000) -> float:
    """Weight lambda of the guide in Eq. (8): a straight line from `start` to 0, cut off below `floor`.

    :param update: number of generator updates done before this one, 0 for the first.
    :param start: weight at the first update; 0 switches the guide off altogether.
    :param floor: the weight never falls below this, unless it started below.
    :param over: generator updates until the line reaches 0, above 0; ``math.inf`` keeps the weight at `start`.
    """
    return max(min(floor, start), start * (1.0 - update / over))
