"""Ranks that say no more than the seeds do: rows that cannot be told apart share one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.results.verdicts import mean, standard_deviation

#: chance of telling any two rows of a column apart that are the same
ALPHA = 0.05


def ranks(columns: Sequence[Sequence[float]], higher_is_better: bool | None) -> list[int | None]:
    """A rank for each row of one column: 1 + the number of rows that are significantly better.

    Rows are compared by Welch's t test on their seeds, with Holm's correction over all pairs of the column.

    :param columns: the values of each row, one a seed; empty where a row has none.
    :returns: None where there is nothing to rank by: fewer than two seeds, or a number that is better in no direction.
    """
    if higher_is_better is None:
        return [None] * len(columns)
    sign = 1.0 if higher_is_better else -1.0
    ranked = [n for n, values in enumerate(columns) if len(values) > 1]
    pairs = [(a, b) for place, a in enumerate(ranked) for b in ranked[place + 1 :]]
    chances = [welch(columns[a], columns[b]) for a, b in pairs]
    better_than = [0] * len(columns)
    for (a, b), different in zip(pairs, holm(chances), strict=True):
        if different:
            ahead = sign * (mean(columns[a]) - mean(columns[b])) > 0
            better_than[b if ahead else a] += 1
    return [better_than[n] + 1 if n in ranked else None for n in range(len(columns))]


def welch(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p of Welch's t test (1947) on two samples of at least two."""
    from scipy.special import stdtr

    a = standard_deviation(first) ** 2 / len(first)
    b = standard_deviation(second) ** 2 / len(second)
    distance = abs(mean(first) - mean(second))
    if a + b == 0:
        return 0.0 if distance > 0 else 1.0
    share = a / (a + b)  # squares of the variances themselves would leave the range of floats
    freedom = 1 / (share**2 / (len(first) - 1) + (1 - share) ** 2 / (len(second) - 1))
    return float(2 * stdtr(freedom, -distance / math.sqrt(a + b)))


def holm(chances: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Which hypotheses Holm's step-down procedure (1979) rejects."""
    rejected = [False] * len(chances)
    for step, place in enumerate(sorted(range(len(chances)), key=lambda n: chances[n])):
        if chances[place] > alpha / (len(chances) - step):
            break
        rejected[place] = True
    return rejected
