"""What divides the data among the generators, however it comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from harness import Batch, Stage


class Partition(Protocol):
    """A division of the data into k parts, found in stages of its own."""

    @property
    def partitioner(self) -> nn.Module | None:
        """From data to logits of the parts [N, k]; None where a part is not a matter of the data."""
        ...

    @property
    def prior(self) -> Tensor:
        """pi, the share of each part in the data, float [k]; filled in place when the last stage is over."""
        ...

    def stages(self) -> Sequence[Stage]:
        """What comes before the GAN."""
        ...

    def state(self) -> Mapping[str, Any]:
        """All that those stages change, by name."""
        ...

    def partitions(self, real: Batch) -> Tensor:
        """The part that each item of a batch belongs to, int64 [N]."""
        ...
