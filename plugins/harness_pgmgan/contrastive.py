"""The pretext task: two views of an image are to be found among all views of the batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """InfoNCE over 2N views, Eq. (4) (Chen et al. 2020, "SimCLR", call it NT-Xent).

    Every view is an anchor once; its positive is the other view of its image, its negatives are the 2N - 2 views of the
    other images. Similarity is the cosine over the temperature. Wants float32 or float64 without TF32.

    :param a: embeddings of the first views, float [N, F], of any length above 0; N at least 2 to learn anything.
    :param b: embeddings of the second views, float [N, F], in the same order.
    :param temperature: above 0.
    :returns: scalar, the mean over the 2N anchors.
    """
    n = len(a)
    views = F.normalize(torch.cat([a, b]), dim=1)
    similarity = views @ views.T / temperature  # [2N, 2N]
    itself = torch.eye(2 * n, dtype=torch.bool, device=a.device)
    other = torch.arange(2 * n, device=a.device).roll(n)  # row i of a pairs with row n + i, and back
    return F.cross_entropy(similarity.masked_fill(itself, -torch.inf), other)  # Eq. (4)
