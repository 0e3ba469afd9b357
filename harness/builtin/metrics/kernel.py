"""Kernel distance of features (Bińkowski et al. 2018): squared MMD over random subsets, or of all samples at once.

The paper averages 100 subsets; so do published values. All samples at once vary less. Both are printed times 1000, and
may be negative (see `polynomial_mmd`). N: real, M: generated, d: features, S: subsets, n: items of a subset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from harness.builtin.metrics.estimates import mean_of, standard_error
from harness.builtin.metrics.kernel_settings import KernelSettings
from harness.builtin.metrics.naming import named
from harness.builtin.metrics.polynomial_mmd import squared_mmd
from harness.errors import EvaluationError
from harness.evaluation import Measurement, MetricContext, Term, Value
from harness.randomness import keyed

#: values are this many times the squared MMD, as their names say
SCALE = 1000.0


def subset_indices(real: int, generated: int, size: int, subsets: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of each subset among `real` and among `generated` items: a fixed draw, without replacement in a subset."""
    for number in range(subsets):
        draw = keyed("kernel distance", real, generated, size, number)
        ours, theirs = (draw.choice(count, size, replace=False) for count in (real, generated))
        yield torch.from_numpy(ours), torch.from_numpy(theirs)


def mmd_of_subsets(*, real: Tensor, generated: Tensor, subsets: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Squared MMD of each pair of subsets of features [N, d] and [M, d], float64 [S].

    :param subsets: row numbers of real and of generated items, each int64 [n].
    """
    found = [squared_mmd(real=real[ours], generated=generated[theirs]).squared for ours, theirs in subsets]
    return torch.tensor(found, dtype=torch.float64)


def kd_of_subsets(size: int, subsets: int, *, real: Tensor, generated: Tensor) -> dict[str, Value]:
    """Mean over `subsets` subsets of `size` of features [N, d] and [M, d], times 1000.

    The standard error is that of the mean over subsets, of these samples; a single one has none. Subsets share members,
    so other samples would move the value by more. Where every subset is the whole of both sets there is no spread and
    no error.

    :raises EvaluationError: where a set has fewer than `size` items.
    """
    for role, points in (("real", real), ("generated", generated)):
        if len(points) < size:
            raise EvaluationError(f"subsets of {size} need at least {size} {role} samples, not {len(points)}")
    if len(real) == len(generated) == size:
        whole = SCALE * squared_mmd(real=real, generated=generated).squared
        return {"kd": Value(whole, remark=f"every subset is the whole of both sets: {size} samples")}
    chosen = subset_indices(len(real), len(generated), size, subsets)
    values = SCALE * mmd_of_subsets(real=real, generated=generated, subsets=chosen)
    # papers print the standard deviation over subsets, with division by their number, after a plus-minus sign
    details = {"std_over_subsets": float(values.std(correction=0))}
    return {"kd": replace(mean_of(values, "subsets"), details=details)}


def kd_of_all(*, real: Tensor, generated: Tensor) -> dict[str, Value]:
    """Squared MMD of all of features [N, d] and [M, d], times 1000.

    The standard error is that of drawing the generated images, the real side fixed: the spread of how far each moves
    the value, over sqrt(M) (delta method; Sutherland et al. 2017 add terms of higher order). None for
    2 generated images, whose influences are too alike to have a spread.
    """
    squared, influence = squared_mmd(real=real, generated=generated)
    if len(generated) < 3:
        return {"kd": Value(SCALE * squared)}
    return {"kd": Value(SCALE * squared, standard_error(SCALE * influence), "sampling")}


class KernelDistance:
    """`kd_x1e3` (`kid_x1e3` on Inception) on every extractor in use, against every real split.

    Over subsets: where a set has fewer items than a subset should, subsets have as many as the smaller set, and the
    protocol says so. Of all: at most `evaluation.neighbours_samples` of each side, because the work grows with their
    product.
    """

    def __init__(self, settings: KernelSettings) -> None:
        self.settings = settings

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        found = []
        for extractor in context.extractors():
            for split in context.splits():
                found += [self._of_subsets(context, extractor, split), self._of_all(context, extractor, split)]
        return found

    def _of_subsets(self, context: MetricContext, extractor: str, split: str) -> Measurement:
        size = min(self.settings.subset_size, context.real(split=split).items(), context.generated().items())
        subsets = self.settings.subsets
        own = Term("subsets", subsets, f"{subsets}x{size}"), Term("subset_size", size)
        return self._on(context, extractor, split, None, own, partial(kd_of_subsets, size, subsets))

    def _of_all(self, context: MetricContext, extractor: str, split: str) -> Measurement:
        own = (Term("subsets", None, "full"),)
        return self._on(context, extractor, split, context.settings.neighbours_samples, own, kd_of_all)

    def _on(
        self,
        context: MetricContext,
        extractor: str,
        split: str,
        most: int | None,
        own: tuple[Term, ...],
        compute: Callable[..., dict[str, Value]],
    ) -> Measurement:
        real = context.features(context.real(most, split), extractor)
        generated = context.features(context.generated(most), extractor)
        name = named(context, extractor, inception="kid_x1e3", other="kd_x1e3")
        kernel = Term("kernel", "(x . y / d + 1)^3", "cubic"), Term("estimator", "unbiased", "unbiased")
        protocol = context.protocol(name, *own, *kernel, real=real, generated=generated)
        least = {"real": 2, "generated": 2}  # an item is never held against itself
        return Measurement({"real": real, "generated": generated}, compute, {"kd": protocol}, least)
