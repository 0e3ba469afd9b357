"""Classes as modes: which of them a classifier of the data finds among samples, how surely, and in which shares.

Mode counts of stacked MNIST are made this way (Metz et al. 2017; Lin et al. 2018; Liu et al. 2020): a class is a
recovered mode when any sample is classified as it. A classifier that errs spreads samples over classes and so finds
too many; its own accuracy bounds what a count is worth. N: samples, K: classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from harness.builtin.metrics.divergence import UNITS, in_units, unit_term
from harness.builtin.metrics.estimates import share_of
from harness.errors import EvaluationError
from harness.evaluation import Features, Inapplicable, Labels, Measurement, MetricContext, RealSet, Term, Value

#: a sample is of high quality when its class has at least this probability
CONFIDENCE = 0.9

#: rows whose probabilities are held at once
ROWS = 4096


def class_counts(logits: Tensor) -> Tensor:
    """Logits [N, K] to how many rows have each class as their largest, the first of equals, int64 [K]."""
    return torch.bincount(logits.argmax(1), minlength=logits.shape[1])


def largest_probability(logits: Tensor) -> Tensor:
    """Logits [N, K] to the probability of the most probable class, float64 [N], from 1 / K to 1."""
    return torch.cat([rows.double().log_softmax(1).amax(1).exp() for rows in logits.split(ROWS)])


def recovered(*, generated: Tensor) -> dict[str, Value]:
    """Logits [N, K] to the number of classes that any sample is classified as."""
    counts = class_counts(_checked(generated))
    return {"modes": Value(float((counts > 0).sum()), details={"of": float(len(counts))})}


def sure(confidence: float, *, generated: Tensor) -> dict[str, Value]:
    """Logits [N, K] to the percentage of samples whose class has at least this probability, binomial error."""
    return {"high_quality_pct": share_of(largest_probability(_checked(generated)) >= confidence, percent=True)}


def divergence_from_uniform(*, generated: Tensor) -> dict[str, Value]:
    """Logits [N, K] to the reverse KL divergence of class shares from equal shares, in nats and log10."""
    counts = class_counts(_checked(generated))
    return in_units(counts, torch.full((len(counts),), 1.0 / len(counts), dtype=torch.float64))


def divergence_from_labels(*, generated: Tensor, labels: Tensor) -> dict[str, Value]:
    """Logits [N, K] to the reverse KL divergence of class shares from those of labels [M], in nats and log10.

    :raises EvaluationError: where samples are classified as a class without labels, from which it would be infinite,
        or labels are of a class that the classifier does not know.
    """
    counts = class_counts(_checked(generated))
    real = torch.bincount(labels, minlength=len(counts))
    if len(real) > len(counts):
        raise EvaluationError(f"labels go up to {len(real) - 1}, but the classifier knows {len(counts)} classes")
    unknown = ((counts > 0) & (real == 0)).nonzero()
    if len(unknown):
        raise EvaluationError(
            f"samples are classified as class {int(unknown[0])}, which none of {len(labels)} labels is"
        )
    return in_units(counts, real.double() / len(labels))


def _checked(logits: Tensor) -> Tensor:
    if len(logits) == 0:
        raise EvaluationError("mode metrics need at least 1 sample, not 0")
    return logits


class ClassifiedModes:
    """`modes`, `high_quality_pct` and `reverse_kl` by every classifier of the data set that is in use.

    `reverse_kl` is held against equal shares in nats and log10, and in nats against the shares of the real labels,
    where the split has a label of each class.
    """

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        data = context.dataset.spec.name
        classifiers = [name for name in context.extractors("logits") if context.spec(name).classifies == data]
        if not classifiers:
            raise Inapplicable(f"no extractor in use is a classifier of data set '{data}'")
        found = []
        for name in classifiers:
            logits = context.features(context.generated(), name, "logits")
            found += self._by(context, logits)
            found += [self._against_labels(context, logits, real) for real in self._with_every_class(context)]
        return found

    def _by(self, context: MetricContext, logits: Features) -> list[Measurement]:
        evidence = {"generated": logits}
        least = {"generated": 1}
        confidence = Term("confidence", CONFIDENCE, f"confidence{CONFIDENCE:g}")
        uniform = Term("against", "uniform", "uniform")
        modes = {"modes": context.protocol("modes", generated=logits)}
        quality = {"high_quality_pct": context.protocol("high_quality_pct", confidence, generated=logits)}
        divergence = {
            f"reverse_kl_{unit}": context.protocol("reverse_kl", unit_term(unit), uniform, generated=logits)
            for unit in UNITS
        }
        return [
            Measurement(evidence, recovered, modes, least),
            Measurement(evidence, partial(sure, CONFIDENCE), quality, least),
            Measurement(evidence, divergence_from_uniform, divergence, least),
        ]

    def _against_labels(self, context: MetricContext, logits: Features, real: RealSet) -> Measurement:
        own = (unit_term("nats"), Term("against", "shares of real labels", "labels"))
        protocol = context.protocol("reverse_kl", *own, generated=logits, real=real)
        evidence = {"generated": logits, "labels": Labels(real)}
        return Measurement(evidence, divergence_from_labels, {"reverse_kl_nats": protocol}, {"generated": 1})

    def _with_every_class(self, context: MetricContext) -> list[RealSet]:
        """Real splits whose labels leave no class out, from which a divergence would be infinite."""
        found = []
        for name in context.splits():
            split = context.dataset.finite(name)
            if split.labels is not None and len(set(split.labels.tolist())) == len(split.classes):
                found.append(context.real(split=name))
        return found
