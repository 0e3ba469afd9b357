"""What the data say: labels of real items, the law behind points, the images trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.contracts.data import Modes, Split
from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Bench, Evidence, OfSet
from harness.evaluation.evidence.image_sets import PartOfSplit


@dataclass(frozen=True)
class Labels(OfSet[Tensor]):
    """Labels of real or stored items, int64 [N]."""

    of: PartOfSplit

    def make(self, bench: Bench) -> Tensor:
        found = self.of.labels(bench)
        if found is None:
            raise EvaluationError(f"{self.of.named(bench)} has no labels")
        return torch.from_numpy(found)


@dataclass(frozen=True)
class KnownModes(Evidence[Modes]):
    """The mixture of Gaussians that the data set's law is."""

    def make(self, bench: Bench) -> Modes:
        modes = bench.dataset.modes()
        if modes is None:
            raise EvaluationError(f"data set '{bench.dataset.name}' has no known modes")
        return modes


@dataclass(frozen=True)
class TrainingImages(Evidence[Split]):
    """The images that the method was trained on, in stored order, cut to the fraction of the run."""

    def make(self, bench: Bench) -> Split:
        training = bench.dataset.training()
        if not isinstance(training, Split):
            raise EvaluationError(f"data set '{bench.dataset.name}' is an endless law: it has no training images")
        return training
