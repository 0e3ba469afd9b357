from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_isc import isc_features_to_metric

from harness.builtin.metrics.inception_score import inception_score, score_in_splits, split_scores
from harness.errors import EvaluationError


def logits(n: int, k: int = 10, seed: int = 0, scale: float = 3.0) -> Tensor:
    return scale * torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n", "splits"), [(500, 10), (503, 10), (500, 1), (20, 10)])
def test_agrees_with_torch_fidelity(n: int, splits: int) -> None:
    oracle = isc_features_to_metric(logits(n), splits, shuffle=False)
    found = score_in_splits(splits, generated=logits(n))["is"]
    assert found.value == pytest.approx(oracle["inception_score_mean"], rel=1e-12)
    if splits > 1:
        assert found.details["std_over_splits"] == pytest.approx(oracle["inception_score_std"], rel=1e-9)


def test_sure_and_even_answers_score_the_number_of_classes() -> None:
    assert inception_score(1000.0 * torch.eye(10, dtype=torch.float64).repeat(7, 1)) == pytest.approx(10.0)


def test_answers_that_are_all_alike_score_one() -> None:
    assert inception_score(logits(1).repeat(50, 1)) == pytest.approx(1.0)


def test_two_classes_have_a_closed_form() -> None:
    p = 0.9
    pair = torch.tensor([[p, 1 - p], [1 - p, p]], dtype=torch.float64).log()
    entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p))
    assert inception_score(pair) == pytest.approx(math.exp(math.log(2) - entropy))


def test_standard_error_is_that_of_the_mean_over_splits() -> None:
    found = score_in_splits(10, generated=logits(400))["is"]
    scores = np.array(split_scores(logits(400), 10))
    assert found.std_error == pytest.approx(scores.std(ddof=1) / math.sqrt(10))
    assert found.std_error_of == "splits"
    assert score_in_splits(1, generated=logits(400))["is"].std_error is None


def test_a_split_needs_two_samples() -> None:
    with pytest.raises(EvaluationError, match="in 10 splits needs at least 20 samples, not 19"):
        split_scores(logits(19), 10)
