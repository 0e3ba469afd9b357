"""Images that lie in files, in the place of a trained method: scored as they are stored, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Samples
from harness.contracts.data import Split
from harness.contracts.stream import as_float
from harness.errors import EvaluationError
from harness.evaluation.evidence.image_sets import PartOfSplit, order_of
from harness.randomness import Seeds

if TYPE_CHECKING:
    from harness.evaluation.evidence.base import Bench


class StoredImages:
    """Stands for the method that once made the images: sample i is stored image i of a fixed random order.

    The order is random so that the first thousand of images sorted by class are not one class.

    :param split: the images.
    :param subject: what they are, for the record.
    """

    def __init__(self, split: Split, subject: Mapping[str, str] | None = None) -> None:
        self.split = split
        self.checksum = split.checksum
        self.networks: Mapping[str, nn.Module] = {}
        self.subject: Mapping[str, str] = dict(subject or {})

    @property
    def n_conditions(self) -> int:
        """Classes of the images; 0 where they have no labels."""
        return len(self.split.classes) if self.split.labels is not None else 0

    @property
    def told_labels(self) -> bool:
        """Labels of stored images are labels."""
        return self.split.labels is not None

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """Stored images by number, float [N, C, H, W] in [-1, 1].

        :raises EvaluationError: beyond their number, or where conditions are asked for.
        """
        if conditions is not None:
            raise EvaluationError("stored images cannot be asked for by condition")
        if len(seeds) and int(seeds.indices.max()) >= len(self.split):
            raise EvaluationError(f"there are {len(self.split)} stored images, not {int(seeds.indices.max()) + 1}")
        chosen = self.split.subset(order_of(len(self.split))[seeds.indices])
        labels = None if chosen.labels is None else torch.from_numpy(chosen.labels)
        return Samples(as_float(torch.from_numpy(chosen.values)), labels, torch.zeros(len(seeds), 0))


@dataclass(frozen=True)
class StoredSet(PartOfSplit):
    """Stored images, as they are stored: uint8."""

    checksum: str
    count: int

    def source(self, bench: Bench) -> Split:
        stored: StoredImages = bench.trained
        return stored.split

    def named(self, bench: Bench) -> str:
        return "the set of generated images"
