"""Inception-score form on any classifier (Salimans et al. 2016): exp of the mean of KL(p(y|x) || p(y)).

N: samples, K: classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from harness.builtin.metrics.estimates import mean_of
from harness.errors import EvaluationError
from harness.evaluation import Measurement, MetricContext, Term, Value


def inception_score(logits: Tensor) -> float:
    """Logits [N, K] to exp(mean_x KL(p(y|x) || mean_x p(y|x))), from 1 to K, in float64."""
    log_p = logits.double().log_softmax(1)  # [N, K]
    p = log_p.exp()
    # sum_y p (log p - log q) with q the average answer; p log p is 0 where p underflows to 0
    divergence = (torch.special.entr(p).neg() - torch.special.xlogy(p, p.mean(0))).sum(1)  # [N]
    return float(divergence.mean().exp())


def split_scores(logits: Tensor, splits: int) -> list[float]:
    """The score of each of `splits` consecutive parts of [N, K] logits, in their order.

    :raises EvaluationError: where a part would have fewer than 2 samples.
    """
    count = len(logits)
    if count < 2 * splits:
        raise EvaluationError(
            f"an inception score in {splits} splits needs at least {2 * splits} samples, not {count}",
            "raise --set evaluation.samples",
        )
    borders = [number * count // splits for number in range(splits + 1)]
    return [inception_score(logits[start:end]) for start, end in pairwise(borders)]


def score_in_splits(splits: int, *, generated: Tensor) -> dict[str, Value]:
    """Logits [N, K] to the mean score over splits; its standard error where there are at least two."""
    scores = torch.tensor(split_scores(generated, splits), dtype=torch.float64)
    # papers print the standard deviation over splits, with division by their number, after a plus-minus sign
    details = {"std_over_splits": float(scores.std(correction=0))} if splits > 1 else {}
    return {"is": replace(mean_of(scores, "splits"), details=details)}


class InceptionScore:
    """`is` on every classifier in use: 10 splits as in the paper, and all samples at once."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        found = []
        for extractor in context.extractors("logits"):
            logits = context.features(context.generated(), extractor, "logits")
            for splits in (10, 1):
                protocol = context.protocol("is", Term("splits", splits, f"splits{splits}"), generated=logits)
                compute = partial(score_in_splits, splits)
                found.append(Measurement({"generated": logits}, compute, {"is": protocol}, {"generated": 2 * splits}))
        return found
