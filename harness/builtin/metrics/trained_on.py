"""What a method was trained on, as evidence: the images that a fraction left of the training split, or all of it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data import Split
from harness.evaluation import Bench, Features, MetricContext, PartOfSplit, Term, TrainingImages


@dataclass(frozen=True)
class TrainedOn(PartOfSplit):
    """The images that were left to train on."""

    count: int

    def source(self, bench: Bench) -> Split:
        return bench.get(TrainingImages())

    def named(self, bench: Bench) -> str:
        return f"what is trained on of data set '{bench.dataset.name}'"


def trained_count(context: MetricContext) -> int:
    """How many images were trained on; with a fold, how many at least with any."""
    return context.dataset.training_count()


def trained_features(context: MetricContext, extractor: str, count: int) -> Features:
    """Features of the first `count` images, in the same order whichever evidence stands for them.

    Those of a whole split are what other metrics ask for too, and what is kept from one evaluation to the next.
    """
    whole = context.dataset.fraction == 1.0
    return context.features(context.real(count, context.dataset.train_split) if whole else TrainedOn(count), extractor)


def trained_terms(context: MetricContext, features: Features) -> tuple[Term, Term]:
    """Which images, and how many of them, for the protocol."""
    checksum = context.dataset.training_checksum()
    return Term("training_checksum", checksum), Term("training_count", features.items())
