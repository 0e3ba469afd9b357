"""Memorisation: whether samples are nearer to the images that the generator was trained on than to held-out ones.

The ratio of two Fréchet distances of the same samples: from training images, over that from test images, m of each and
of the samples, so that all have the same bias. A generator that learned the law comes out near 1. One that copies n
training images comes out at about (2 - m/n) / (2 + m/n), which is where the distance of the means would be: 1/3 for
m = n, but 0.8 for n = 4 m, since samples then have few images in common with any m of those copied.

How far below 1 is too far follows from real images alone: one half of the training images stands in for the samples of
a perfect generator that copies nothing, the other for the training images, over and over. That tells both the noise of
such counts and any difference between the laws of training and test images. N, n, m: images, d: features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.builtin.metrics.authenticity import authenticity
from harness.builtin.metrics.estimates import mean_of
from harness.builtin.metrics.frechet import ROUNDING, frechet_distance
from harness.builtin.metrics.neighbour_figure import Pictures
from harness.builtin.metrics.trained_on import trained_count, trained_features, trained_terms
from harness.errors import EvaluationError
from harness.evaluation import (
    Evidence,
    Gaussian,
    Inapplicable,
    Measurement,
    MetricContext,
    Term,
    TrainingImages,
    Value,
    fit_gaussian,
)
from harness.randomness import keyed

#: parts of the training images that the ratio is averaged over, at most
MOST_PARTS = 10

#: times that training images are halved for the noise of the ratio
HALVINGS = 10

#: standard deviations of its logarithm over halvings that a ratio must be below their mean, and below 1, for the alarm
ALARM = 3.0

#: samples in the picture
PICTURES = 12


def memorisation(*, generated: Tensor, training: Tensor, held_out: Tensor) -> dict[str, Value]:
    """Features [m, d], [parts * m, d] and [m, d] to the ratio, averaged over the parts of the training images.

    Its standard error is that of the average over parts, the samples and the test images fixed.
    """
    samples, test = fit_gaussian(generated, "generated"), fit_gaussian(held_out, "test")
    parts = [fit_gaussian(part, "training") for part in training.split(len(held_out))]
    away = distance_from_test(samples, test)
    ratios = torch.tensor([frechet_distance(part, samples) for part in parts], dtype=torch.float64) / away
    found = mean_of(ratios, "subsets")
    # two halves with the same features, as of constant images, would have no logarithm
    logarithms = halved_ratios(training, held_out, HALVINGS).clamp(min=torch.finfo(torch.float64).tiny).log()
    # where test images happen to be nearer than halves are to each other, samples far from all still come out at 1
    limit = math.exp(min(0.0, float(logarithms.mean())) - ALARM * float(logarithms.std()))
    remark = None
    if found.value < limit:
        remark = (
            f"samples are nearer to training images than to test images, as copies are: the alarm is at {limit:.3f}"
        )
    if away <= resolution(samples, test):
        remark = "samples and test images have the same features, but for rounding: the ratio is at least this large"
    details = {"without_copies": math.exp(float(logarithms.mean())), "alarm_below": limit}
    return {"memorisation_ratio": replace(found, remark=remark, details=details)}


def resolution(a: Gaussian, b: Gaussian) -> float:
    """The smallest Fréchet distance of these that rounding leaves anything of."""
    return 2.0 * ROUNDING * (a.trace + b.trace)


def distance_from_test(generated: Gaussian, held_out: Gaussian) -> float:
    """FD(generated, held_out), what a ratio is divided by: at least its :func:`resolution`.

    :raises EvaluationError: where both sides are the same point.
    """
    away = max(frechet_distance(held_out, generated), resolution(held_out, generated))
    if away == 0.0:
        raise EvaluationError("samples and test images all have the same features: no ratio can be made of them")
    return away


def halved_ratios(training: Tensor, held_out: Tensor, times: int) -> Tensor:
    """The ratio of real images that are no copies, for random halves of the training images: float64 [times].

    :param training: features [n, d]; one half of them, or as many as there are test images, stand in for samples.
    :param held_out: features [m, d], of which as many are drawn.
    """
    count = min(len(held_out), len(training) // 2)
    ratios = []
    for number in range(times):
        draw = keyed("memorisation", number)
        order = torch.from_numpy(draw.permutation(len(training)))
        chosen = torch.from_numpy(draw.permutation(len(held_out))[:count])
        copied, samples = training[order[:count]], training[order[count : 2 * count]]
        here, there, test = (fit_gaussian(rows, "training") for rows in (copied, samples, held_out[chosen]))
        ratios.append(frechet_distance(here, there) / distance_from_test(there, test))
    return torch.tensor(ratios, dtype=torch.float64)


class Memorisation:
    """`memorisation_ratio` and `authenticity_pct` on every extractor in use, where a split was not trained on."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        if context.held_out() == context.dataset.train_split:
            raise Inapplicable(f"data set '{context.dataset.name}' has no test images, which nothing was trained on")
        found = []
        for name in context.extractors():
            found += [self._ratio(context, name), self._authenticity(context, name)]
        return found

    def _ratio(self, context: MetricContext, extractor: str) -> Measurement:
        most = min(context.real(split=context.held_out()).count, trained_count(context))
        count = context.generated(most).items()
        parts = min(trained_count(context) // count, MOST_PARTS)
        generated = context.features(context.generated(count), extractor)
        training = trained_features(context, extractor, parts * count)
        held_out = context.features(context.real(count, context.held_out()), extractor)
        own = (Term("training_parts", parts, f"train{parts}x{count}"), *trained_terms(context, training))
        protocol = context.protocol("memorisation_ratio", *own, generated=generated, real=held_out)
        evidence = {"generated": generated, "training": training, "held_out": held_out}
        least = {"generated": 4, "training": 4, "held_out": 4}  # halves with a covariance
        return Measurement(evidence, memorisation, {"memorisation_ratio": protocol}, least)

    def _authenticity(self, context: MetricContext, extractor: str) -> Measurement:
        most = context.settings.neighbours_samples
        samples = context.generated(most)
        generated = context.features(samples, extractor)
        training = trained_features(context, extractor, trained_count(context))
        held_out = context.features(context.real(most, context.held_out()), extractor)
        own = (Term("training_whole", True, f"train{training.items()}"), *trained_terms(context, training))
        protocol = context.protocol("authenticity_pct", *own, generated=generated, real=held_out)
        evidence: dict[str, Evidence[Any]] = {
            "generated": generated,
            "training": training,
            "held_out": held_out,
            "pictures": Pictures(samples.resized(min(PICTURES, samples.items())), generated.quantise),
            "training_images": TrainingImages(),
        }
        compute = partial(authenticity, f"nearest-training-images-{extractor}")
        return Measurement(evidence, compute, {"authenticity_pct": protocol}, {"generated": 1, "training": 2})
