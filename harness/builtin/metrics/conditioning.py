"""Condition numbers of a generator (Feng et al. 2021, eq. 19): relative change of an image per relative change of z.

    (|G(x) - G(x + d)| / |G(x)|) / (|d| / |x|),    x from the prior, d ~ N(0, (1e-4)^2) in every element

Norms are over all elements of an image in [-1, 1]. Their Table 2 has the mean and the mean of the 1,000 largest of
50,000; of another number of pairs the same share of 2 % is taken. In w, x are styles. A generator that normalises its
latents is blind to the part of d along x. N: pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from harness.builtin.metrics.estimates import mean_of
from harness.builtin.metrics.spaces import Space, Twins, points, spaces, steady_batch_norm, twins_noise, twins_terms
from harness.errors import EvaluationError
from harness.evaluation import Bench, Measurement, MetricContext, Protocol, Term, Value
from harness.randomness import Seeds, derived_seed

#: standard deviation of the step, in every element
STEP = 1e-4

#: share of the pairs that the worst are
WORST = 0.02


def condition_numbers(points: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor]) -> Tensor:
    """Points [N, ...] and images [N, C, H, W] of both ends to the relative change of image per that of point, [N].

    :raises EvaluationError: where an image is zero everywhere, so that nothing is relative to it.
    """
    # the step as it came out in float32, not as it was drawn
    (x, moved), (image, changed) = ([end.double().flatten(1) for end in ends] for ends in (points, images))
    size = image.norm(dim=1)
    if not bool(size.all()):
        raise EvaluationError("a generated image is exactly 0 everywhere, so its condition number is not defined")
    found: Tensor = ((image - changed).norm(dim=1) / size) / ((x - moved).norm(dim=1) / x.norm(dim=1))
    return found


@dataclass(frozen=True)
class ConditionNumbers(Twins):
    """Condition numbers at random points, float64 [N, 1].

    :param step: standard deviation of the step, in every element.
    """

    step: float = STEP

    def ends(self, bench: Bench, numbers: range) -> tuple[Tensor, Tensor]:
        x = points(bench, self.space, "conditioning", numbers, twins_noise(bench, numbers))
        drawn = Seeds(derived_seed("conditioning", bench.seed), numbers).normal("step", *x.shape[1:])
        return x, x + self.step * drawn.to(x)

    def measured(self, bench: Bench, points: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor]) -> Tensor:
        return condition_numbers(points, images)[:, None]


def worst_count(pairs: int) -> int:
    """How many of the pairs are the worst: 1,000 of 50,000, and at least 1."""
    return max(1, round(WORST * pairs))


def mean_and_worst(*, pairs: Tensor) -> dict[str, Value]:
    """Condition numbers [N, 1] to their mean and to the mean of the largest 2 %."""
    numbers = pairs[:, 0].double()
    details = {"max": float(numbers.max())}
    worst = numbers.topk(worst_count(len(numbers))).values
    return {
        "mc": replace(mean_of(numbers), details=details),
        "ttmc": Value(float(worst.mean()), details=details),
    }


class Conditioning:
    """`mc` and `ttmc` in every space that there is; the two images of a pair share noise and conditions."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        if context.settings.pairs < 2:
            raise EvaluationError("condition numbers need at least 2 pairs, not 1", "raise --set evaluation.pairs")
        return [self._in(context, space) for space in spaces(context)]

    def _in(self, context: MetricContext, space: Space) -> Measurement:
        settings = context.settings
        pairs = ConditionNumbers(space, settings.pairs, settings.block, steady_batch_norm(context))
        own = (Term("space", space, space), Term("step", pairs.step, f"std{pairs.step:g}"))
        count = worst_count(pairs.count)
        worst = (Term("worst_share", WORST), Term("worst", count, f"top{count}"))
        protocols = {
            "mc": Protocol("mc", (*own, *twins_terms(pairs))),
            "ttmc": Protocol("ttmc", (*own, *worst, *twins_terms(pairs))),
        }
        return Measurement({"pairs": pairs}, mean_and_worst, protocols)
