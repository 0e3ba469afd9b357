"""k-means on the device, the same to the bit whenever it is repeated (Lloyd 1982; Arthur and Vassilvitskii 2007).

scikit-learn draws the first centres. Its iterations are made here instead: on several threads they add in the order in
which threads come to an end, so that a run could not be resumed to the bit, and they leave the accelerator idle.
N: points, F: their size, k: clusters. All floats are float32.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import kmeans_plusplus
from torch import Tensor

from harness.randomness import derived_seed

#: most iterations, and the squared shift of all centres, as a share of the mean variance of a feature, that ends them
ITERATIONS, TOLERANCE = 300, 1e-4

#: points whose distances to all centres are held at once
BLOCK = 8192


class Clustering(NamedTuple):
    """Clusters of N points.

    :ivar centres: [k, F].
    :ivar labels: the nearest centre of each point, int64 [N].
    :ivar inertia: sum of squared distances to the nearest centre, [].
    """

    centres: Tensor
    labels: Tensor
    inertia: Tensor

    def histogram(self) -> Tensor:
        """Share of the points in each cluster, [k]; sums to 1."""
        return self.labels.bincount(minlength=len(self.centres)).float() / len(self.labels)


def k_means(points: Tensor, k: int, restarts: int, seed: int) -> Clustering:
    """The best of several runs from k-means++.

    :param points: [N, F], N at least k.
    :param seed: fixes the first centres.
    """
    host = points.cpu().numpy()
    found = []
    for number in range(restarts):
        first, _ = kmeans_plusplus(host, k, random_state=derived_seed(seed, number, bits=32))
        found.append(lloyd(points, torch.from_numpy(first).to(points)))
    return min(found, key=lambda clustering: float(clustering.inertia))


def lloyd(points: Tensor, centres: Tensor) -> Clustering:
    """Assignment and means in turn, from these centres [k, F], until the centres hardly move."""
    middle = points.mean(0)
    points, centres = points - middle, centres - middle  # differences of squares lose less near the origin
    enough = TOLERANCE * points.var(0, correction=0).mean()
    for _ in range(ITERATIONS):
        labels, _ = nearest(points, centres)
        moved = means(points, labels, len(centres))
        shift = (moved - centres).square().sum()
        centres = moved
        if bool(shift <= enough):
            break
    labels, squared = nearest(points, centres)
    return Clustering(centres + middle, labels, squared.sum())


def nearest(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest centre of each point, int64 [N], and the squared distance to it, [N]."""
    size = centres.square().sum(1)
    labels, squared = [], []
    for block in points.split(BLOCK):
        least, where = (size - 2.0 * block @ centres.T).min(1)  # |x - c|^2 - |x|^2
        labels.append(where)
        squared.append((least + block.square().sum(1)).clamp(min=0))
    return torch.cat(labels), torch.cat(squared)


def means(points: Tensor, labels: Tensor, k: int) -> Tensor:
    """Mean of each cluster, [k, F]; an empty one gets the point that is farthest from the mean of its own."""
    # a matrix product, since adding rows by index has no fixed order on a GPU
    sums, counts = points.new_zeros(k, points.shape[1]), labels.bincount(minlength=k)
    for block, own in zip(points.split(BLOCK), labels.split(BLOCK), strict=True):
        sums += torch.nn.functional.one_hot(own, k).to(block).T @ block
    centres = sums / counts.clamp(min=1)[:, None]
    empty = (counts == 0).nonzero().squeeze(1)
    if len(empty):
        far = (points - centres[labels]).square().sum(1).argsort(descending=True, stable=True)
        centres[empty] = points[far[: len(empty)]]
    return centres


def followed(points: Tensor, labels: Tensor, k: int) -> Clustering:
    """New clusters of points that had labels before, numbered so that a label keeps its meaning as far as possible.

    Starts from the means of the clusters as they were, and matches new to old numbers by how many points they share
    (Hungarian algorithm).

    :param points: [N, F], in a new feature space.
    :param labels: int64 [N], from the old one.
    """
    found = lloyd(points, means(points, labels, k))
    new_to_old = matching(found.labels, labels, k)
    return Clustering(found.centres[new_to_old.argsort()], new_to_old[found.labels], found.inertia)


def matching(new: Tensor, old: Tensor, k: int) -> Tensor:
    """The old number of each new cluster, int64 [k], a permutation that keeps most points' number the same.

    :param new, old: int64 [N], clusters of the same points.
    """
    shared = (new * k + old).bincount(minlength=k * k).reshape(k, k)
    _, numbers = linear_sum_assignment(shared.cpu().numpy(), maximize=True)
    return torch.from_numpy(numbers).to(new)
