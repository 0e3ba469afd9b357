from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from torch import Tensor

from harness.builtin.metrics.ranking import auroc, auroc_every_nth, average_precision, fpr_at_tpr, share_below


def scores(n: int, seed: int, shift: float = 0.0, tied: bool = False) -> Tensor:
    rows = torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift
    return rows.mul(2).round() if tied else rows


def both(positives: Tensor, negatives: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Truth and scores as scikit-learn takes them."""
    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(negatives))])
    return truth, torch.cat([positives, negatives]).numpy()


CASES = pytest.mark.parametrize(
    ("p", "n", "shift", "tied"),
    [(300, 200, 1.0, False), (300, 200, 1.0, True), (20, 60, -0.5, True), (37, 50, 0.5, False), (1, 1, 0.0, False)],
)


@CASES
def test_the_area_agrees_with_scikit_learn(p: int, n: int, shift: float, tied: bool) -> None:
    positives, negatives = scores(p, 0, shift, tied), scores(n, 1, tied=tied)
    assert auroc(positives, negatives)[0] == pytest.approx(roc_auc_score(*both(positives, negatives)), abs=1e-12)


@CASES
def test_average_precision_agrees_with_scikit_learn(p: int, n: int, shift: float, tied: bool) -> None:
    positives, negatives = scores(p, 0, shift, tied), scores(n, 1, tied=tied)
    oracle = average_precision_score(*both(positives, negatives))
    assert average_precision(positives, negatives) == pytest.approx(oracle, abs=1e-12)


@CASES
def test_the_rate_of_false_alarms_is_the_first_of_the_curve_that_reaches_the_share(
    p: int, n: int, shift: float, tied: bool
) -> None:
    positives, negatives = scores(p, 0, shift, tied), scores(n, 1, tied=tied)
    false, true, _ = roc_curve(*both(positives, negatives), drop_intermediate=False)
    assert fpr_at_tpr(positives, negatives, 95) == pytest.approx(false[np.argmax(true >= 0.95)], abs=1e-12)


def test_the_share_is_reached_exactly_at_twenty() -> None:
    positives = torch.arange(20.0, dtype=torch.float64)
    # 19 of 20 are 95 %: the threshold is the 19th from above, which is 1
    assert fpr_at_tpr(positives, torch.tensor([0.0, 0.5, 0.9, 1.0]), 95) == 0.25


def test_the_standard_error_of_the_area_is_delongs() -> None:
    """Structural components written out over all pairs."""
    positives, negatives = scores(40, 0, 0.8, tied=True), scores(30, 1, tied=True)
    pairs = (positives[:, None] > negatives).double() + 0.5 * (positives[:, None] == negatives).double()
    variance = pairs.mean(1).var() / 40 + pairs.mean(0).var() / 30
    assert auroc(positives, negatives)[1] == pytest.approx(float(variance.sqrt()), rel=1e-9)


def test_the_standard_error_is_the_spread_over_new_samples() -> None:
    found = [auroc(scores(80, 2 * seed, 1.0), scores(60, 2 * seed + 1)) for seed in range(400)]
    spread = float(torch.tensor([area for area, _ in found]).std())
    assert float(torch.tensor([error for _, error in found]).mean()) == pytest.approx(spread, rel=0.15)


def test_one_item_of_a_class_has_no_standard_error() -> None:
    assert auroc(scores(1, 0), scores(5, 1))[1] is None


def test_infinite_scores_rank_beyond_all_others_and_tie_with_each_other() -> None:
    positives = torch.tensor([np.inf, np.inf, 2.0, -np.inf], dtype=torch.float64)
    negatives = torch.tensor([np.inf, 1.0, -np.inf, 0.0], dtype=torch.float64)
    high = [torch.nan_to_num(side, posinf=9.0, neginf=-9.0) for side in (positives, negatives)]
    assert share_below(positives, negatives).tolist() == [0.875, 0.875, 0.75, 0.125]
    assert auroc(positives, negatives) == auroc(*high)
    assert average_precision(positives, negatives) == average_precision(*high)
    assert fpr_at_tpr(positives, negatives, 95) == fpr_at_tpr(*high, 95)
    assert auroc_every_nth(positives, negatives, 2) == auroc_every_nth(*high, 2)


def test_every_nth_threshold_has_a_closed_form_by_hand() -> None:
    negatives = torch.tensor([1.0, 4.0, 2.0, 3.0])  # thresholds 4 and 2
    positives = torch.tensor([5.0, 4.0, 3.0, 1.0])  # above 4: 1 of 4, above 2: 3 of 4
    # points (0, 1/4), (1/2, 3/4), (1, 1)
    assert auroc_every_nth(positives, negatives, 2) == pytest.approx(0.5 * 0.5 + 0.5 * 0.875)


def test_the_area_starts_at_the_first_threshold_and_not_at_the_origin() -> None:
    # above the highest negative lie all positives: nothing is lost before it
    assert auroc_every_nth(torch.tensor([5.0, 6.0]), torch.arange(4.0), 10) == 1.0
    # all equal: strictly above the threshold lies nothing, and one line leads to (1, 1)
    assert auroc_every_nth(torch.ones(3), torch.ones(20), 10) == 0.5


def test_every_tenth_threshold_is_close_to_the_exact_area() -> None:
    positives, negatives = scores(10_000, 0, 1.0), scores(10_000, 1)
    exact, _ = auroc(positives, negatives)
    assert auroc_every_nth(positives, negatives, 10) == pytest.approx(exact, abs=1e-3)
