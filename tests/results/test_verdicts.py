"""Verdicts: cases by hand, and scipy's one-sided tests as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.results.verdicts import Outcome, judge, standard_error

R, B, W, I = Outcome.REPRODUCED, Outcome.BETTER, Outcome.WORSE, Outcome.INCONCLUSIVE  # noqa: E741


@pytest.mark.parametrize(
    ("value", "printed", "margin", "up", "outcome"),
    [
        (10.0, 10.0, 0.0, False, R),
        (10.4, 10.0, 0.5, False, R),
        (10.5, 10.0, 0.5, False, R),  # the border belongs to the interval
        (9.5, 10.0, 0.5, False, R),
        (10.51, 10.0, 0.5, False, W),
        (9.49, 10.0, 0.5, False, B),
        (10.51, 10.0, 0.5, True, B),
        (9.49, 10.0, 0.5, True, W),
        (10.51, 10.0, 0.5, None, W),
        (9.49, 10.0, 0.5, None, W),
    ],
)
def test_one_seed_is_held_against_the_interval(
    value: float, printed: float, margin: float, up: bool | None, outcome: Outcome
) -> None:
    found = judge([value], printed, margin, up)
    assert (found.outcome, found.mean, found.half_width) == (outcome, value, None)


@pytest.mark.parametrize(
    ("values", "margin", "up", "outcome"),
    [
        ([10.0, 10.01, 9.99], 0.5, False, R),
        ([10.0, 10.0, 10.0], 0.0, False, R),  # no spread at all
        ([11.0, 11.0, 11.0], 0.5, False, W),
        ([12.0, 12.1, 11.9], 0.5, False, W),
        ([12.0, 12.1, 11.9], 0.5, True, B),
        ([8.0, 8.1, 7.9], 0.5, False, B),
        ([8.0, 8.1, 7.9], 0.5, None, W),
        ([9.0, 10.0, 11.0], 0.5, False, I),  # the mean is the printed number, but three seeds do not show it
        ([10.4, 10.5, 10.6], 0.5, False, I),
    ],
)
def test_several_seeds_must_show_it(values: list[float], margin: float, up: bool | None, outcome: Outcome) -> None:
    assert judge(values, 10.0, margin, up).outcome is outcome


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("centre", [8.0, 9.4, 9.6, 10.0, 10.3, 10.5, 10.9, 12.0])
@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_equivalence_is_two_one_sided_tests(centre: float, count: int, up: bool) -> None:
    draw = np.random.default_rng(int(centre * 10) + count)
    margin = 0.5
    for _ in range(20):
        values = draw.normal(centre, 0.4, count)
        above = stats.ttest_1samp(values, 10 - margin, alternative="greater").pvalue < 0.05
        below = stats.ttest_1samp(values, 10 + margin, alternative="less").pvalue < 0.05
        higher = stats.ttest_1samp(values, 10 + margin, alternative="greater").pvalue < 0.05
        lower = stats.ttest_1samp(values, 10 - margin, alternative="less").pvalue < 0.05
        side = {True: B if up else W, False: W if up else B}
        expected = R if above and below else side[True] if higher else side[False] if lower else I
        assert judge(list(values), 10.0, margin, up).outcome is expected


@pytest.mark.parametrize("values", [[9.8, 10.0, 10.2], [10.9, 11.3, 11.0]])
def test_the_seeds_that_would_settle_it_are_the_fewest_whose_interval_fits(values: list[float]) -> None:
    found = judge(values, 10.0, 0.3 if values[0] < 10 else 0.9, False)
    assert found.outcome is I
    assert found.runs_needed is not None
    room = abs(abs(found.mean - 10.0) - (0.3 if values[0] < 10 else 0.9))
    spread = np.std(values, ddof=1)

    def half_width(runs: int) -> float:
        return float(stats.t.ppf(0.95, runs - 1) * spread / runs**0.5)

    assert half_width(found.runs_needed) <= room < half_width(found.runs_needed - 1)


def test_a_mean_on_the_border_is_never_settled() -> None:
    assert judge([9.5, 10.5, 11.5], 10.0, 0.5, False).runs_needed is None


def test_nothing_to_judge_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no number"):
        judge([], 1.0, 0.1, True)


def test_the_standard_error_is_scipys() -> None:
    values = [1.0, 2.5, 4.0, 3.0]
    assert standard_error(values) == pytest.approx(stats.sem(values))


@pytest.mark.parametrize("values", [[10.0, 10.1, 9.9], [12.0, 12.1, 11.9], [9.0, 10.0, 11.0]], ids=["R", "W", "I"])
def test_the_interval_is_told_whatever_the_outcome(values: list[float]) -> None:
    low, high = stats.t.interval(0.9, 2, np.mean(values), stats.sem(values))
    found = judge(values, 10.0, 0.5, False)
    assert found.half_width == pytest.approx((high - low) / 2)
    assert found.mean == pytest.approx(np.mean(values))


@pytest.mark.parametrize("values", [[10.0], [12.0], [10.0, 10.1, 9.9], [12.0, 12.1, 11.9]])
def test_what_is_settled_needs_no_more_seeds(values: list[float]) -> None:
    assert judge(values, 10.0, 0.5, False).runs_needed is None


def test_more_seeds_than_anybody_trains_are_not_named() -> None:
    found = judge([9.0, 10.0, 11.0], 10.0, 0.01, False)
    assert (found.outcome, found.runs_needed) == (I, None)
    assert judge([9.0, 10.0, 11.0], 10.0, 0.06, False).runs_needed == 754  # (1.645 / 0.06)^2, and a little for t


@pytest.mark.parametrize("up", [True, False, None])
def test_without_spread_the_border_belongs_to_the_interval(up: bool | None) -> None:
    assert judge([10.5, 10.5], 10.0, 0.5, up).outcome is R
    assert judge([9.5, 9.5, 9.5], 10.0, 0.5, up).outcome is R
