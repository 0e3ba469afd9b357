"""Fréchet distance within each class, averaged over classes (Murray 2019; DeVries et al. 2019, within-class part).

A conditional generator may get every class wrong and still match the whole: real images of a class are held against
samples that were told that class. N: real, M: generated, d: features, K: classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance, rank_remark
from harness.builtin.metrics.frechet_error import sampling_error
from harness.builtin.metrics.labelled import labelled_splits
from harness.builtin.metrics.naming import named
from harness.errors import EvaluationError
from harness.evaluation import Conditions, Inapplicable, Labels, Measurement, MetricContext, Term, Value, fit_gaussian

#: classes up to which each one's distance stands beside the mean
LISTED = 100


def ifd(*, real: Tensor, labels: Tensor, generated: Tensor, told: Tensor) -> dict[str, Value]:
    """Mean over classes of the distance between real images of a class and samples told that class.

    :param real: features [N, d].
    :param labels: class of each, int64 [N].
    :param generated: features [M, d].
    :param told: class that each was told, int64 [M].
    :raises EvaluationError: where the two sides have different classes, or a class has fewer than 2 items.
    """
    counts = class_counts(labels, told)
    distances, errors = {}, []
    for label in counts:
        ours, theirs = generated[told == label], real[labels == label]
        fitted, reference = fit_gaussian(ours, "generated"), fit_gaussian(theirs, "real")
        distances[label] = frechet_distance(reference, fitted)
        errors.append(sampling_error(ours, fitted, reference))
    fewest_real, fewest_told = (min(pair[side] for pair in counts.values()) for side in (0, 1))
    most_real, most_told = (max(pair[side] for pair in counts.values()) for side in (0, 1))
    details = {f"class {label}": value for label, value in distances.items()} if len(counts) <= LISTED else {}
    details |= {"real_least": float(fewest_real), "real_most": float(most_real)}
    details |= {"generated_least": float(fewest_told), "generated_most": float(most_told)}
    error = _mean_error(errors)
    value = Value(
        sum(distances.values()) / len(distances),
        std_error=error,
        std_error_of=None if error is None else "sampling",
        remark=rank_remark(real.shape[1], real=fewest_real, generated=fewest_told),
        details=details,
    )
    return {"ifd": value}


def class_counts(labels: Tensor, told: Tensor) -> dict[int, tuple[int, int]]:
    """By class, how many real images have it and how many samples were told it.

    :raises EvaluationError: where a class is on one side only, or has fewer than 2 items on a side.
    """
    sides = [torch.unique(side, return_counts=True) for side in (labels, told)]
    real, generated = (dict(zip(classes.tolist(), n.tolist(), strict=True)) for classes, n in sides)
    lone = sorted(real.keys() ^ generated.keys())
    if lone:
        raise EvaluationError(
            f"real images have {len(real)} classes and samples were told {len(generated)}: class {lone[0]} has "
            f"{real.get(lone[0], 0)} real images and {generated.get(lone[0], 0)} samples",
            "raise --set evaluation.samples, or leave the distance within classes out",
        )
    counts = {label: (real[label], generated[label]) for label in sorted(real)}
    for label, (ours, theirs) in counts.items():
        if min(ours, theirs) < 2:
            raise EvaluationError(
                f"class {label} has {ours} real images and {theirs} samples: a distance needs at least 2 of each",
                "raise --set evaluation.samples",
            )
    return counts


def _mean_error(errors: Sequence[float | None]) -> float | None:
    """Standard error of a mean over classes that are drawn independently; None where any is unknown."""
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return None
    found: float | None = sum(error**2 for error in known) ** 0.5 / len(known)
    return found


class ClassFrechetDistance:
    """`ifd` (`ifid` on Inception) on every extractor in use, against every split with labels."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        if not context.told_labels():
            raise Inapplicable("samples are not told the data set's labels")
        splits = labelled_splits(context)
        return [self._on(context, name, split) for name in context.extractors() for split in splits]

    def _on(self, context: MetricContext, extractor: str, split: str) -> Measurement:
        of, samples = context.real(split=split), context.generated()
        real, generated = context.features(of, extractor), context.features(samples, extractor)
        name = named(context, extractor, inception="ifid", other="ifd")
        protocol = context.protocol(name, Term("over", "classes", "mean-over-classes"), real=real, generated=generated)
        evidence = {"real": real, "labels": Labels(of), "generated": generated, "told": Conditions(samples)}
        return Measurement(evidence, ifd, {"ifd": protocol}, {"real": 2, "generated": 2})
