"""A Gaussian fitted to features is that of numpy, whichever way its covariance is held."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation import fit_gaussian
from harness.evaluation.reference_statistics.gaussian import BLOCK, ROWS, gram


def features(n: int, d: int, seed: int) -> Tensor:
    """Correlated features, float64 [n, d]; the mixing is the same for every seed."""
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64) / d**0.5
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return rows @ (mixing + torch.eye(d, dtype=torch.float64))


def test_float32_features_are_accumulated_in_float64() -> None:
    a = (features(20_000, 4, 0) + 1000.0).float()
    gaussian = fit_gaussian(a)
    assert gaussian.covariance is not None
    assert np.allclose(gaussian.covariance.numpy(), np.cov(a.double().numpy(), rowvar=False), rtol=1e-9)


@pytest.mark.parametrize("size", [BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_covariances_of_many_features_are_whole(size: int) -> None:
    rows = torch.randn(size + 5, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    covariance = fit_gaussian(rows).covariance
    assert covariance is not None
    assert torch.allclose(covariance, rows.T.cov(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("n", "d"), [(2, 5), (30, 64), (63, 64), (64, 64), (300, 8), (ROWS + 1, 3)])
def test_mean_covariance_and_trace_are_those_of_numpy(n: int, d: int) -> None:
    rows = features(n, d, 0) + 3.0
    found = fit_gaussian(rows)
    expected = np.cov(rows.numpy(), rowvar=False)
    assert found.count == n
    assert np.allclose(found.mean.numpy(), rows.numpy().mean(0), rtol=1e-12)
    assert np.allclose(found.full_covariance().numpy(), expected, rtol=1e-9, atol=1e-12)
    assert found.trace == pytest.approx(expected.trace(), rel=1e-12)


@pytest.mark.parametrize(("n", "held_as_factor"), [(63, True), (64, False)])
def test_fewer_items_than_features_are_held_as_their_rows(n: int, held_as_factor: bool) -> None:
    found = fit_gaussian(features(n, 64, 0))
    assert (found.covariance is None) is held_as_factor
    assert (found.factor is not None) is held_as_factor


def test_half_precision_features_lose_no_more_than_they_lack() -> None:
    rows = (features(200, 6, 0) * 100).half()  # squares of these overflow float16
    found = fit_gaussian(rows).full_covariance()
    assert np.allclose(found.numpy(), np.cov(rows.double().numpy(), rowvar=False), rtol=1e-9)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_items_are_refused_by_what_they_are(count: int) -> None:
    with pytest.raises(EvaluationError, match=f"at least 2 real samples, not {count}"):
        fit_gaussian(torch.zeros(count, 4), "real")


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_the_product_of_blocks_is_the_whole_product_and_exactly_symmetric(size: int) -> None:
    rows = features(7, size, 0)
    found = gram(rows)
    assert torch.equal(found, found.T)
    assert torch.allclose(found, rows.T @ rows, rtol=1e-12, atol=1e-12)
