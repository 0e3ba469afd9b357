"""L^T S L for a lower triangular L and a symmetric S: less than half of the work that two products are."""

from __future__ import annotations

import torch
from torch import Tensor

#: columns that are multiplied at once
BLOCK = 256


def congruence(lower: Tensor, symmetric: Tensor) -> Tensor:
    """The lower triangle of L^T S L, [d, d], zeros or parts of the upper one above it; what eigvalsh and eigh read.

    :param lower: zeros above the diagonal, [d, d].
    """
    starts = range(0, len(lower), BLOCK)
    right = torch.empty_like(symmetric)  # S L
    for at in starts:
        right[:, at : at + BLOCK] = symmetric[:, at:] @ lower[at:, at : at + BLOCK]
    found = torch.zeros_like(symmetric)
    for at in starts:
        found[at : at + BLOCK, : at + BLOCK] = lower[at:, at : at + BLOCK].T @ right[at:, : at + BLOCK]
    return found
