"""What a method was trained on, as evidence: the images that a fraction left of the training split, or all of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from harness.data import Split
from harness.evaluation import Bench, Features, Offer, SetEvidence, Term, TrainingImages
from harness.evaluation.sets import ROWS, order_of


@dataclass(frozen=True)
class TrainedOn(SetEvidence[Split]):
    """The first `count`, in a fixed random order, of the images that were left to train on."""

    count: int

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> TrainedOn:
        return replace(self, count=count)

    def first(self, made: Split, count: int) -> Split:
        return made if count == len(made) else made.subset(np.arange(count))

    def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
        yield from self.blocks_of(self.make(bench))

    def blocks_of(self, made: Split) -> Generator[Tensor, None, None]:
        yield from torch.from_numpy(made.values).split(ROWS)

    def make(self, bench: Bench) -> Split:
        training = TrainingImages().make(bench)
        return training.subset(order_of(len(training))[: self.count])


def trained_count(offer: Offer) -> int:
    """How many images were trained on."""
    training = offer.dataset.training()
    assert isinstance(training, Split)  # images are always finite
    return len(training)


def trained_features(offer: Offer, extractor: str, count: int) -> Features:
    """Features of the first `count` images, in the same order whichever evidence stands for them.

    Those of a whole split are what other metrics ask for too, and what is kept from one evaluation to the next.
    """
    whole = offer.dataset.fraction == 1.0
    return offer.features(offer.real(count, "train") if whole else TrainedOn(count), extractor)


def trained_terms(offer: Offer, features: Features) -> tuple[Term, Term]:
    """Which images, and how many of them, for the protocol."""
    checksum = offer.dataset.training().checksum
    return Term("training_checksum", checksum), Term("training_count", features.items())
