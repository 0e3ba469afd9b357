"""A method that was never trained: it plays a few of the modes of ring2d over and over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.contracts.capabilities import Samples
from harness.randomness import Seeds

ANGLES = torch.arange(8) * torch.pi / 4
RING = 2 * torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


class SomeModes:
    """Method and trained object in one.

    :param modes: how many of the eight it knows.
    :param variants: what else of it is measured.
    """

    networks: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, modes: int, *variants: object, name: str = "itself") -> None:
        self.points = RING[:modes]
        self.subject = {"what": name}
        self._variants = variants

    def trained(self) -> SomeModes:
        return self

    def variants(self) -> Sequence[object]:
        return self._variants

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        index = torch.from_numpy(seeds.indices) % len(self.points)
        return Samples(self.points[index], None, torch.zeros(len(seeds), 1))
