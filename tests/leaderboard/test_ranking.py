"""Ranks: Welch's test as scipy has it, Holm's correction by hand, and what is not ranked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.leaderboard.ranking import holm, ranks, welch


@pytest.mark.parametrize(("a", "b"), [(3, 3), (2, 5), (10, 4)])
def test_welch_is_scipys(a: int, b: int) -> None:
    draw = np.random.default_rng(a * b)
    for _ in range(20):
        first, second = draw.normal(0, 1, a), draw.normal(1, 3, b)
        assert welch(list(first), list(second)) == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue)


def test_without_spread_means_differ_or_they_do_not() -> None:
    assert welch([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert welch([1.0, 1.0], [2.0, 2.0]) == 0.0


@pytest.mark.parametrize(
    ("chances", "rejected"),
    [
        ([], []),
        ([0.04], [True]),
        ([0.01, 0.04], [True, True]),
        ([0.03, 0.04], [False, False]),  # 0.03 > 0.05 / 2 stops it all
        ([0.04, 0.001, 0.02], [True, True, True]),
        ([0.06, 0.001, 0.03], [False, True, False]),  # 0.03 > 0.05 / 2
        ([0.001, 0.2, 0.012, 0.3], [True, False, True, False]),
    ],
)
def test_holm_steps_down_from_the_smallest(chances: list[float], rejected: list[bool]) -> None:
    assert holm(chances) == rejected


FAR = ([1.0, 1.1, 0.9], [5.0, 5.1, 4.9], [9.0, 9.1, 8.9])


def test_rows_that_differ_are_ranked_by_their_means() -> None:
    assert ranks(FAR, False) == [1, 2, 3]
    assert ranks(FAR, True) == [3, 2, 1]


def test_rows_that_cannot_be_told_apart_share_a_rank() -> None:
    assert ranks([[1.0, 1.2, 0.8], [1.1, 1.3, 0.9], [9.0, 9.1, 8.9]], False) == [1, 1, 3]
    assert ranks([[9.0, 9.1, 8.9], [1.0, 1.2, 0.8], [1.1, 1.3, 0.9]], False) == [3, 1, 1]


def test_a_row_between_two_may_share_with_both() -> None:
    assert ranks([[1.0, 1.1, 0.9], [1.0, 3.0, 5.0], [5.0, 5.1, 4.9]], False) == [1, 1, 2]


def test_one_seed_has_no_rank_and_pushes_nobody() -> None:
    assert ranks([[0.0], *FAR[:2], []], False) == [None, 1, 2, None]


def test_a_number_that_is_better_in_no_direction_has_no_ranks() -> None:
    assert ranks(FAR, None) == [None, None, None]


def test_many_rows_make_telling_two_apart_harder() -> None:
    pair = [[1.0, 1.3, 0.7], [2.0, 2.3, 1.7]]
    assert ranks(pair, False) == [1, 2]
    alike = [[1.0, 1.3, 0.7]] * 10
    assert ranks([*pair, *alike], False)[:2] == [1, 1]


def test_two_rows_that_always_give_the_same_share_and_others_do_not() -> None:
    assert ranks([[1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0]], False) == [1, 1, 3]
    assert ranks([[1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0]], True) == [2, 2, 1]


def test_nothing_to_rank() -> None:
    assert ranks([], False) == []
    assert ranks([[1.0, 2.0]], False) == [1]
    assert ranks([[], [1.0]], True) == [None, None]


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_ranks_are_those_of_scipys_test_with_holms_adjusted_chances(higher_is_better: bool) -> None:
    """Against another road to the same: each chance is adjusted, and then held against 5 %."""
    draw = np.random.default_rng(7)
    groups = set()
    for _ in range(200):
        columns = [list(draw.normal(draw.integers(0, 4), 0.7, draw.integers(0, 6))) for _ in range(draw.integers(2, 7))]
        some = [n for n, values in enumerate(columns) if len(values) > 1]
        pairs = [(a, b) for a in some for b in some if a < b]
        chances = [stats.ttest_ind(columns[a], columns[b], equal_var=False).pvalue for a, b in pairs]
        worst, ahead = 0.0, dict.fromkeys(some, 1)
        for done, place in enumerate(np.argsort(chances)):
            worst = max(worst, (len(pairs) - done) * chances[place])
            if worst <= 0.05:
                a, b = pairs[place]
                first_is_better = (np.mean(columns[a]) > np.mean(columns[b])) == higher_is_better
                ahead[b if first_is_better else a] += 1
        assert ranks(columns, higher_is_better) == [ahead.get(n) for n in range(len(columns))]
        groups.add(len(set(ahead.values())))
    assert {1, 2, 3} <= groups
