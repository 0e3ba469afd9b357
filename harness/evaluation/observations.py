"""What is observed of sets: features, labels, conditions; and the law behind points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from harness.data.contracts import Modes, Split
from harness.errors import EvaluationError
from harness.evaluation.evidence import Evidence, OfSet, SetEvidence
from harness.evaluation.sets import GeneratedSet, PartOfSplit

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench


@dataclass(frozen=True)
class Features(OfSet[Tensor]):
    """What a feature network says of a set of images: float32 [N, F] on the CPU.

    :param of: the images.
    :param extractor: name of the feature network.
    :param output: which of its outputs; "features", or "logits" of a classifier.
    :param quantise: rule by which float images become uint8, or stay floats, before they are looked at.
    """

    of: SetEvidence[Any]
    extractor: str
    output: Literal["features", "logits"] | str = "features"
    quantise: str = "round"

    def make(self, bench: Bench) -> Tensor:
        """Its rows, from the cache where real ones lie there; whatever else is expected of the images comes along."""
        from harness.evaluation.features import feature_pass

        kept = bench.kept_features(self)
        if kept is not None:
            return kept
        family = self.of.resized(0)
        others = [
            other
            for other in bench.outstanding()
            if isinstance(other, Features)
            and other.of.resized(0) == family
            and other.resized(0) != self.resized(0)
            and bench.kept_features(other) is None
        ]
        most = max(request.items() for request in (self, *others))
        made = feature_pass(bench, self.of.resized(most), [self, *others])
        for request in (self, *others):
            bench.keep_features(request, made[request])
            if request is not self:
                bench.put(request, made[request])
        return made[self]


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
class Conditions(OfSet[Tensor]):
    """What each sample of a set was told, int64 [N]: a label only where the method says that its conditions are."""

    of: SetEvidence[Any]

    def make(self, bench: Bench) -> Tensor:
        """Along with features of the samples, where some are still to be made; else by sampling anew."""
        if (along := self._along(bench)) is not None:
            bench.get(along)
            return bench.get(self)  # laid down on the way, if the method is told any
        found: Any
        if isinstance(self.of, PartOfSplit):
            found = self.of.labels(bench)
        elif isinstance(self.of, GeneratedSet) and not bench.holds(self.of):
            told = [part.conditions.cpu() for part in self.of.samples(bench) if part.conditions is not None]
            found = torch.cat(told) if told else None
        else:
            found = bench.get(self.of).conditions
        if found is None:
            raise EvaluationError("the method is told no conditions")
        return torch.as_tensor(found)

    def _along(self, bench: Bench) -> Features | None:
        """Features that are expected of the same samples, and not made yet."""
        if not isinstance(self.of, GeneratedSet) or bench.holds(self.of):
            return None
        wanted = [request for request in bench.outstanding() if isinstance(request, Features)]
        return next((each for each in wanted if each.of.resized(0) == self.of.resized(0)), None)


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
