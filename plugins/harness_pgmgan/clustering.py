"""The partitioner's objective, and what it leaves behind: a label for each image and the size of each partition."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def partition_loss(
    anchor_logits: Tensor, neighbour_logits: Tensor, sample_weight: float = 1e-3, mean_weight: float = 5.0
) -> dict[str, Tensor]:
    """Eq. (5) with its sign turned, to be minimised: neighbours agree, samples are sure, partitions are of one size.

    The paper sums over all edges and samples; these are means over the minibatch, so that the weights do not depend on
    the size of the data set. Its appendix prints weights of 5 and 1e-3, most likely the other way round: with those,
    partitions die (a test shows it), as the term that keeps them alive has next to no weight.

    :param anchor_logits: float [N, k].
    :param neighbour_logits: float [N, k], of one graph neighbour of each anchor.
    :param sample_weight: alpha, of the entropy of each anchor's assignment.
    :param mean_weight: beta, of the entropy of the anchors' mean assignment.
    :returns: scalars that add up to the loss: ``agreement``, mean -log of the dot product of the two assignments;
        ``confidence``, alpha times the mean entropy of an assignment (alpha log k at most); ``balance``, -beta times
        the entropy of the mean assignment (-beta log min(k, N) at least, where all are sure).
    """
    log_p = anchor_logits.float().log_softmax(1)
    log_q = neighbour_logits.float().log_softmax(1)
    log_mean = log_p.logsumexp(0) - math.log(len(log_p))
    return {  # the three terms of Eq. (5), left to right
        "agreement": -(log_p + log_q).logsumexp(1).mean(),
        "confidence": sample_weight * entropy(log_p).mean(),
        "balance": -mean_weight * entropy(log_mean),
    }


def entropy(log_probability: Tensor) -> Tensor:
    """Entropy in nats of laws given by their finite logarithms, float [..., k] to [...]."""
    return -(log_probability.exp() * log_probability).sum(-1)


def labels_of(logits: Tensor) -> Tensor:
    """Partition of each sample: the largest of its logits [N, k], int64 [N]."""
    return logits.argmax(1)


def prior_of(labels: Tensor, k: int) -> Tensor:
    """Share pi of the data in each partition, from labels int64 [N], N at least 1; float64 [k], sums to 1."""
    return torch.bincount(labels, minlength=k).double() / len(labels)
