"""Clusters that a method finds against the labels of the data: how far the two divide images in the same way.

Numbers of clusters have no meaning of their own: all values stay the same when clusters are renumbered. N: images.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch import Tensor

from harness.builtin.metrics.labelled import labelled_splits
from harness.errors import EvaluationError
from harness.evaluation import Assignments, Labels, Measurement, MetricContext, Term, Value


def contingency(clusters: Tensor, labels: Tensor) -> Tensor:
    """Clusters [N] and labels [N] to how many images have both, int64 [clusters in use, classes in use]."""
    rows, columns = (torch.unique(ids, return_inverse=True) for ids in (clusters, labels))
    shape = len(rows[0]), len(columns[0])
    return torch.bincount(rows[1] * shape[1] + columns[1], minlength=shape[0] * shape[1]).reshape(shape)


def matched_share(counts: Tensor) -> float:
    """Share of images in the best one-to-one matching of clusters and classes (Hungarian algorithm; Kuhn 1955).

    Where there are more clusters than classes, or the reverse, some stay without a partner and their images are wrong.
    """
    matched = linear_sum_assignment(counts.numpy(), maximize=True)
    return float(counts.numpy()[matched].sum()) / int(counts.sum())


def majority_share(counts: Tensor) -> float:
    """Share of images whose label is the most frequent one in their cluster; 1 for clusters of one image each."""
    return float(counts.amax(1).sum()) / int(counts.sum())


def agreement(*, clusters: Tensor, labels: Tensor) -> dict[str, Value]:
    """Clusters and labels, each int64 [N], to five numbers, all 1 for the same division.

    - nmi_arithmetic, nmi_geometric: mutual information over the mean of both entropies (Vinh et al. 2010; Strehl and
      Ghosh 2002), from 0.
    - ari: Rand index adjusted for chance (Hubert and Arabie 1985): about 0 for a random division, and may be negative.
    - cluster_accuracy, purity: see :func:`matched_share` and :func:`majority_share`.

    :raises EvaluationError: where the sides have different numbers of images, or none.
    """
    if len(clusters) != len(labels) or len(labels) == 0:
        raise EvaluationError(f"{len(clusters)} clusters of images cannot be held against {len(labels)} labels")
    counts = contingency(clusters, labels)
    details = {"clusters_used": float(counts.shape[0]), "classes": float(counts.shape[1])}
    pair = labels.numpy(), clusters.numpy()
    numbers = {
        "nmi_arithmetic": normalized_mutual_info_score(*pair, average_method="arithmetic"),
        "nmi_geometric": normalized_mutual_info_score(*pair, average_method="geometric"),
        "ari": adjusted_rand_score(*pair),
        "cluster_accuracy": matched_share(counts),
        "purity": majority_share(counts),
    }
    return {name: Value(float(number), details=details) for name, number in numbers.items()}


class Clusters:
    """`nmi` (arithmetic and geometric mean), `ari`, `cluster_accuracy` and `purity` of every split with labels."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        return [self._on(context, split) for split in labelled_splits(context)]

    def _on(self, context: MetricContext, split: str) -> Measurement:
        real = context.real(split=split)
        how = {
            "nmi_arithmetic": ("nmi", Term("mean", "arithmetic", "arithmetic")),
            "nmi_geometric": ("nmi", Term("mean", "geometric", "geometric")),
            "ari": ("ari", Term("adjusted", "for chance, sizes kept", "adjusted")),
            "cluster_accuracy": ("cluster_accuracy", Term("matching", "one-to-one", "one-to-one")),
            "purity": ("purity", Term("matching", "majority label of each cluster", "majority")),
        }
        protocols = {key: context.protocol(name, term, real=real) for key, (name, term) in how.items()}
        evidence = {"clusters": Assignments(real), "labels": Labels(real)}
        return Measurement(evidence, agreement, protocols)
