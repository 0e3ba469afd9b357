"""What a network is told, in any of three forms, and the one function that embeds all of them.

N: items, K: conditions that there are rows for, L: labels that an item has at once, F: width of a row.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.devices import without_autocast


def embed(table: Tensor, condition: Tensor) -> Tensor:
    """What a table [K, F] holds for conditions, [N, F].

    - int64 [N] below K: the row of each.
    - int64 [N, L], each below K / L: the sum of L rows. Label l has rows l K / L to (l + 1) K / L - 1 of the table.
    - float [N, K]: the weighted sum of all rows, ``condition @ table`` (soft labels, or several at once); gradients
      reach the weights. A one-hot row gives what its number gives.

    :raises ValueError: for a condition of any other shape, which is a mistake in a method.
    """
    rows = len(table)
    if condition.is_floating_point():
        if condition.shape[1:] != (rows,):
            raise ValueError(f"soft conditions are [N, {rows}], not {tuple(condition.shape)}")
        with without_autocast(condition):
            return condition.to(table.dtype) @ table
    if condition.ndim == 1:
        return F.embedding(condition, table)
    if condition.ndim != 2 or rows % condition.shape[1]:
        raise ValueError(f"conditions are [N], or [N, L] where L divides {rows}, not {tuple(condition.shape)}")
    return F.embedding(own_rows(condition, rows), table).sum(1)


def own_rows(condition: Tensor, rows: int) -> Tensor:
    """The row of each label among all labels' rows: int64 [N, L] below rows / L to [N, L] below `rows`."""
    labels = condition.shape[1]
    return condition + torch.arange(labels, device=condition.device) * (rows // labels)


def as_rows(condition: Tensor, rows: int) -> Tensor:
    """Conditions in any form as weights of all rows, float [N, rows]: one-hot, or with a one for each label."""
    if condition.is_floating_point():
        return condition
    chosen = condition[:, None] if condition.ndim == 1 else own_rows(condition, rows)
    return torch.zeros(len(condition), rows, device=condition.device).scatter(1, chosen, 1.0)
