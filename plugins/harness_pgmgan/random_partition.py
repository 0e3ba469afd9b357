"""No partition at all: an image gets another number whenever it is seen (Random Partition ID of Table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness import Batch, Context, Problem, Stage
from harness_pgmgan.config import PgmganSettings


class RandomPartition:
    """Uniform numbers, without a network and without a stage."""

    partitioner: None = None

    def __init__(self, settings: PgmganSettings, problem: Problem, ctx: Context) -> None:
        self.k = settings.partitions
        self.ctx = ctx
        self.prior = torch.full((self.k,), 1.0 / self.k, device=ctx.device)

    def stages(self) -> list[Stage]:
        """None."""
        return []

    def state(self) -> Mapping[str, Any]:
        """Nothing is learned."""
        return {}

    def partitions(self, real: Batch) -> Tensor:
        """A number for each image, int64 [N]."""
        return self.ctx.integers(self.k, len(real.images))
