from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance
from harness.builtin.metrics.frechet_error import MOST_FEATURES, sampling_error, transport
from harness.evaluation import Gaussian, fit_gaussian


def features(n: int, d: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """Correlated, skewed features, float64 [n, d]."""
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64) / d**0.5
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * (rows + 0.3 * rows**2) @ (mixing + torch.eye(d, dtype=torch.float64)) + shift


def error(generated: Tensor, real: Tensor) -> float | None:
    return sampling_error(generated, fit_gaussian(generated), fit_gaussian(real))


def test_the_map_carries_one_covariance_onto_the_other() -> None:
    a, b = features(300, 6, 0).T.cov(), features(300, 6, 1, scale=2.0).T.cov()
    move = transport(a, b)
    assert move is not None
    assert torch.allclose(move @ a @ move, b)
    assert torch.allclose(move, move.T)
    assert float(torch.linalg.eigvalsh(move).min()) > 0


@pytest.mark.parametrize(("scale", "shift"), [(1.5, 0.0), (1.0, 0.5), (0.7, 0.2)])
def test_agrees_with_the_bootstrap(scale: float, shift: float) -> None:
    real, generated = features(3000, 4, 0), features(1500, 4, 1, scale, shift)
    reference = fit_gaussian(real)
    draws = torch.Generator().manual_seed(0)
    drawn = [
        frechet_distance(reference, fit_gaussian(generated[torch.randint(1500, (1500,), generator=draws)]))
        for _ in range(400)
    ]
    # 400 draws give their own spread to within 3.5 %
    assert error(generated, real) == pytest.approx(float(torch.tensor(drawn).std()), rel=0.1)


def test_one_dimension_has_a_closed_form() -> None:
    real, generated = features(500, 1, 0), features(400, 1, 1, scale=2.0, shift=1.0)
    spread_real, spread = float(real.std()), float(generated.std())
    away = (generated - generated.mean())[:, 0]
    # d^2 = (m - m_r)^2 + (s - s_r)^2, and s moves by (x - m)^2 / 2 s
    influence = 2 * (generated.mean() - real.mean()) * away + (1 - spread_real / spread) * away**2
    assert error(generated, real) == pytest.approx(float(influence.std()) / 400**0.5, rel=1e-9)


def test_a_feature_that_no_generated_image_has_changes_nothing() -> None:
    real, generated = features(500, 5, 0), features(400, 5, 1, scale=1.4)
    wide_real = torch.cat([real, features(500, 1, 7)], 1)
    assert error(torch.cat([generated, torch.zeros(400, 1)], 1), wide_real) == pytest.approx(error(generated, real))


def test_there_is_none_without_full_rank() -> None:
    real, generated = features(500, 8, 0), features(400, 8, 1)
    assert error(generated, real) is not None
    assert error(generated[:8], real) is None
    assert error(generated, real[:8]) is None
    assert error(torch.cat([generated, generated[:, :1]], 1), torch.cat([real, real[:, :1]], 1)) is None


def test_imported_statistics_have_one_too() -> None:
    real, generated = features(500, 8, 0), features(400, 8, 1, scale=1.2)
    imported = Gaussian(real.mean(0), real.T.cov(), None, None)
    assert sampling_error(generated, fit_gaussian(generated), imported) == pytest.approx(error(generated, real))


def test_there_is_none_of_very_many_features() -> None:
    size = MOST_FEATURES + 1
    mean = torch.zeros(size, dtype=torch.float64)
    many = Gaussian(mean, torch.empty(0), None, None)
    assert sampling_error(torch.zeros(1, size).expand(size + 1, size), many, many) is None
