"""Verdicts: whether numbers of ours are the number that a paper prints. Pure functions of numbers.

With one training the number itself is held against the interval around the printed one. With several, equivalence is
tested: two one-sided t tests on the mean at 5 % each, which is to say that the mean's 90 % interval must lie in that
interval (Schuirmann 1987; Lakens 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: size of each one-sided test
ALPHA = 0.05

#: nobody trains more often than this to settle a verdict
MOST_RUNS = 1000


class Outcome(StrEnum):
    """What holding a number against a printed one came to."""

    REPRODUCED = "REPRODUCED"
    BETTER = "BETTER"
    WORSE = "WORSE"
    INCONCLUSIVE = "INCONCLUSIVE"
    """too few trainings to say: the mean's interval crosses the border"""
    NOT_COMPARABLE = "NOT COMPARABLE"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Judgement:
    """An outcome, and the numbers that decided it.

    :param mean: of our numbers.
    :param half_width: of the mean's 90 % interval; None for one number.
    :param runs_needed: trainings that would settle it, their spread being what it is; None where it is settled, or no
        number of them would.
    """

    outcome: Outcome
    mean: float
    half_width: float | None = None
    runs_needed: int | None = None


def judge(values: Sequence[float], printed: float, margin: float, higher_is_better: bool | None) -> Judgement:
    """Hold numbers of ours, one a training, against a printed one.

    :param values: at least one, in the printed unit.
    :param margin: how far from the printed number counts as the same, at least 0.
    :param higher_is_better: None where neither direction is: whatever is not the same is then WORSE, for the printed
        number was not reached.
    """
    if not values:
        raise ValueError("no number to judge")
    centre = mean(values)
    distance = centre - printed
    if len(values) == 1:
        same = abs(distance) <= margin
        return Judgement(Outcome.REPRODUCED if same else _side(distance, higher_is_better), centre)
    spread = standard_deviation(values)
    half = _half_width(spread, len(values))
    if abs(distance) + half <= margin:
        return Judgement(Outcome.REPRODUCED, centre, half)
    if abs(distance) - half > margin:
        return Judgement(_side(distance, higher_is_better), centre, half)
    return Judgement(Outcome.INCONCLUSIVE, centre, half, _runs_needed(spread, abs(abs(distance) - margin), len(values)))


def mean(values: Sequence[float]) -> float:
    """Of at least one number, whatever their order."""
    return math.fsum(values) / len(values)


def standard_deviation(values: Sequence[float]) -> float:
    """Of a sample of at least two, with n - 1."""
    centre = mean(values)
    return math.hypot(*(value - centre for value in values)) / math.sqrt(len(values) - 1)  # squares might overflow


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of at least two."""
    return standard_deviation(values) / math.sqrt(len(values))


def _side(distance: float, higher_is_better: bool | None) -> Outcome:
    better = higher_is_better is not None and (distance > 0) == higher_is_better
    return Outcome.BETTER if better else Outcome.WORSE


def _half_width(spread: float, count: int) -> float:
    """Of the 90 % interval of a mean."""
    from scipy.special import stdtrit  # a quarter of scipy.stats' time to import

    return float(stdtrit(count - 1, 1 - ALPHA)) * spread / math.sqrt(count)


def _runs_needed(spread: float, room: float, count: int) -> int | None:
    """The fewest trainings whose interval fits the room between the mean and the border."""
    if room <= 0:
        return None
    return next((n for n in range(count + 1, MOST_RUNS + 1) if _half_width(spread, n) <= room), None)
