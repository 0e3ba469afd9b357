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


def overstated(n: int, d: int, scale: float, shift: float, times: int = 300) -> float:
    """The mean error over how far the distance really spreads when the samples are drawn anew from their law."""
    real = fit_gaussian(features(5000, d, 0))
    drawn = [features(n, d, 1 + number, scale, shift) for number in range(times)]
    fitted = [fit_gaussian(rows) for rows in drawn]
    spread = torch.tensor([frechet_distance(real, each) for each in fitted]).std()
    errors = [sampling_error(rows, each, real) for rows, each in zip(drawn, fitted, strict=True)]
    return float(torch.tensor(errors).mean() / spread)


@pytest.mark.parametrize(("scale", "shift"), [(1.5, 0.0), (1.0, 0.5), (0.7, 0.2)])
def test_is_the_spread_over_samples_drawn_anew(scale: float, shift: float) -> None:
    # 300 draws give their own spread to within 4 %
    assert overstated(1500, 4, scale, shift) == pytest.approx(1.0, rel=0.12)


@pytest.mark.parametrize(("size", "scale", "shift"), [(8, 1.5, 0.0), (16, 1.5, 0.0), (16, 1.0, 0.5), (32, 0.7, 0.2)])
def test_is_within_a_quarter_of_the_spread_at_twenty_samples_a_feature(size: int, scale: float, shift: float) -> None:
    assert overstated(20 * size, size, scale, shift, times=200) == pytest.approx(1.0, rel=0.25)


@pytest.mark.parametrize("many", [4, 40])
def test_is_an_upper_bound_where_samples_follow_the_law_and_the_distance_is_all_bias(many: int) -> None:
    assert 1.1 < overstated(many * 16, 16, 1.0, 0.0, times=200) < 1.7


def test_there_is_none_below_four_samples_for_each_feature_that_varies() -> None:
    real, generated = features(500, 8, 0), features(400, 8, 1)
    assert error(generated[:32], real) is not None
    assert error(generated[:31], real) is None
    constant = torch.zeros(400, 5, dtype=torch.float64)
    wide = torch.cat([real, features(500, 5, 7)], 1), torch.cat([generated, constant], 1)
    assert error(wide[1][:32], wide[0]) is not None
    assert error(wide[1][:31], wide[0]) is None


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
