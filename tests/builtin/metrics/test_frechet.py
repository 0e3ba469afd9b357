from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from offering import Noise, measured
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from harness.builtin.metrics.frechet import FrechetDistance, fd, frechet_distance
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation import Gaussian, fit_gaussian


def features(n: int, d: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """Correlated features, float64 [n, d]; the mixing is the same for every seed."""
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64) / d**0.5
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * rows @ (mixing + torch.eye(d, dtype=torch.float64)) + shift


def distance(a: Tensor, b: Tensor) -> float:
    return frechet_distance(fit_gaussian(a), fit_gaussian(b))


def by_matrix_root(a: Tensor, b: Tensor) -> float:
    """The distance as pytorch-fid and clean-fid compute it."""
    x, y = a.numpy(), b.numpy()
    root = scipy.linalg.sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False)).real
    gap = x.mean(0) - y.mean(0)
    return float(gap @ gap + np.cov(x, rowvar=False).trace() + np.cov(y, rowvar=False).trace() - 2 * root.trace())


@pytest.mark.parametrize(("n", "m"), [(300, 300), (300, 200), (65, 400)])
def test_agrees_with_scipys_matrix_root(n: int, m: int) -> None:
    a, b = features(n, 64, 0), features(m, 64, 1, scale=1.3, shift=0.2)
    assert distance(a, b) == pytest.approx(by_matrix_root(a, b), rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(300, 300), (40, 300), (300, 40), (40, 50), (2, 2)])
def test_agrees_with_torch_fidelity_for_any_counts(n: int, m: int) -> None:
    a, b = features(n, 64, 0), features(m, 64, 1, scale=1.3, shift=0.2)
    oracle = fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b), False)
    assert distance(a, b) == pytest.approx(oracle["frechet_inception_distance"], rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(30, 40), (30, 200), (200, 30)])
def test_the_small_form_equals_the_large_form(n: int, m: int) -> None:
    a, b = features(n, 64, 0), features(m, 64, 1)
    # a set four times over has the same mean and, up to the unbiased factor, the same covariance, but more rows
    large = [fit_gaussian(x.repeat(4, 1)) for x in (a, b)]
    small = [fit_gaussian(x) for x in (a, b)]
    assert any(g.factor is not None for g in small)
    assert all(g.covariance is not None for g in large)
    for rows, g in zip((a, b), large, strict=True):
        count = 4 * len(rows)
        g.covariance.mul_((count - 1) / count * len(rows) / (len(rows) - 1))  # type: ignore[union-attr]
    assert frechet_distance(*small) == pytest.approx(frechet_distance(*large), rel=1e-6)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize(("n", "m"), [(200, 300), (20, 300), (300, 20), (20, 30)])
def test_a_few_large_directions_do_not_drown_the_many_small_ones(n: int, m: int, spread: float) -> None:
    """Uncorrelated features have a closed form, whatever their scales."""
    a, b = orthogonal(n, 32, 0), orthogonal(m, 32, 1)
    scale = torch.where(torch.arange(32) < 3, 1.0, spread)
    known = 4.0 * float(scale.square().sum())  # spreads of 1 and of 3 times the scale, in rotated coordinates
    turn = torch.linalg.qr(features(32, 32, 5)).Q
    few = min(n, m) <= 32
    found = distance(a * scale @ turn, 3.0 * b * scale @ turn)
    if few:  # the sets span different directions: another library is the judge
        x, y = (fid_features_to_statistics(each * scale @ turn) for each in (a, 3.0 * b))
        known = fid_statistics_to_metric(x, y, False)["frechet_inception_distance"]
    assert found == pytest.approx(known, rel=1e-6)


def orthogonal(n: int, d: int, seed: int) -> Tensor:
    """Rows whose mean is zero and whose covariance is the identity, so far as n allows."""
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = rows - rows.mean(0)
    return torch.linalg.qr(rows).Q * (n - 1) ** 0.5 if n > d else rows


@pytest.mark.parametrize("times", [5, 10, 60])
def test_repeated_samples_leave_the_rank_low_and_the_distance_right(times: int) -> None:
    """Ten images over and over fill a covariance of 64 features that has rank nine."""
    ten, b = features(10, 64, 0), features(300, 64, 1)
    many = ten.repeat(times, 1)
    oracle = fid_statistics_to_metric(fid_features_to_statistics(many), fid_features_to_statistics(b), False)
    assert distance(many, b) == pytest.approx(oracle["frechet_inception_distance"], rel=1e-6)
    assert distance(b, many) == pytest.approx(oracle["frechet_inception_distance"], rel=1e-6)
    # the same images twice as often: covariances differ by their unbiased factors alone
    spread = float((ten - ten.mean(0)).square().sum()) / 10
    factors = [(n / (n - 1)) ** 0.5 for n in (10 * times, 20 * times)]
    assert distance(many, many.repeat(2, 1)) == pytest.approx(spread * (factors[0] - factors[1]) ** 2, abs=1e-11)


def test_statistics_of_another_tool_stand_in_for_the_real_images() -> None:
    """A covariance alone, even a singular one, of nobody knows how many images."""
    a, b = features(30, 64, 0), features(300, 64, 1)
    covariance = torch.from_numpy(np.cov(a.numpy(), rowvar=False))
    imported = Gaussian(a.mean(0), covariance, None, None)
    found = fd(real=imported, generated=b)["fd"]
    assert found.value == pytest.approx(distance(a, b), rel=1e-6)
    assert found.remark is None
    assert fd(real=imported, generated=a)["fd"].value < 1e-6
    few = fd(real=imported, generated=features(40, 64, 2))["fd"]
    assert few.value == pytest.approx(distance(a, features(40, 64, 2)), rel=1e-6)
    assert few.remark is not None
    assert few.remark.startswith("40 generated samples for 64 features")


def test_one_dimension_has_a_closed_form() -> None:
    a, b = features(500, 1, 0), features(400, 1, 1, scale=2.0, shift=3.0)
    expected = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    assert distance(a, b) == pytest.approx(float(expected), rel=1e-9)


def test_scaling_one_set_has_a_closed_form() -> None:
    a = features(300, 20, 0)
    centred = a - a.mean(0)
    # S2 = c^2 S1: the distance is (c - 1)^2 tr S1
    expected = 4.0 * float(centred.square().sum()) / 299
    assert distance(centred, 3.0 * centred) == pytest.approx(expected, rel=1e-9)


def test_a_shift_alone_is_its_squared_length() -> None:
    a = features(300, 20, 0)
    assert distance(a, a + 0.5) == pytest.approx(20 * 0.25, rel=1e-6)


@pytest.mark.parametrize("n", [40, 300])
def test_is_symmetric_and_zero_for_equal_sets(n: int) -> None:
    a, b = features(n, 64, 0), features(200, 64, 1)
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9)
    assert 0.0 <= distance(a, a) < 1e-6


def test_features_without_variance_neither_crash_nor_count() -> None:
    a, b = features(300, 20, 0), features(300, 20, 1, scale=1.5)
    constant = torch.full((300, 44), 7.0, dtype=torch.float64)
    with_dead = distance(torch.cat([a, constant], 1), torch.cat([b, constant], 1))
    assert with_dead == pytest.approx(distance(a, b), rel=1e-9)


def test_features_dead_in_one_set_only_are_real_and_right() -> None:
    a, b = features(300, 8, 0), features(300, 8, 1)
    a[:, 5] = 0.0
    oracle = fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b), False)
    for x, y in ((a, b), (b, a)):
        assert distance(x, y) == pytest.approx(oracle["frechet_inception_distance"], rel=1e-6)


def test_linearly_dependent_features_give_no_nan() -> None:
    a = features(300, 8, 0)
    doubled = torch.cat([a, a], 1)
    other = torch.cat([features(300, 8, 1)] * 2, 1)
    assert distance(doubled, other) == pytest.approx(2.0 * distance(a, other[:, :8]), rel=1e-6)


def test_all_samples_equal_is_a_distance_too() -> None:
    a, point = features(300, 8, 0), torch.zeros(300, 8, dtype=torch.float64)
    expected = float(a.mean(0).square().sum()) + float(a.var(0).sum())
    assert distance(a, point) == pytest.approx(expected, rel=1e-9)
    assert distance(point, point) == 0.0


def test_value_remarks_on_too_few_samples_and_adds_up() -> None:
    few = fd(real=fit_gaussian(features(30, 64, 0)), generated=features(65, 64, 1))["fd"]
    assert few.remark is not None
    assert few.remark.startswith("30 real samples for 64 features")
    assert few.value == pytest.approx(sum(few.details.values()))
    assert few.std_error is None
    enough = fd(real=fit_gaussian(features(65, 64, 0)), generated=features(65, 64, 1))["fd"]
    assert enough.remark is None


def test_value_comes_with_the_error_of_sampling() -> None:
    found = fd(real=fit_gaussian(features(500, 8, 0)), generated=features(400, 8, 1, scale=1.5))["fd"]
    assert found.std_error is not None
    assert 0.0 < found.std_error < found.value
    assert found.std_error_of == "sampling"


def test_one_sample_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at least 2 generated samples, not 1"):
        fd(real=fit_gaussian(features(9, 8, 1)), generated=features(1, 8, 0))


def test_features_of_different_networks_are_refused() -> None:
    with pytest.raises(EvaluationError, match="features of 8 and of 9 dimensions"):
        distance(features(20, 8, 0), features(20, 9, 0))


def test_every_split_is_a_reference_and_a_small_one_also_at_its_own_size(catalog: Catalog) -> None:
    found = measured(FrechetDistance(), Noise(), catalog, samples=400, split="both")
    assert list(found) == [
        "fd[pixels,native,train,1437x400,uint8-round,block250,bn-eval]",
        "fd[pixels,native,test,360x400,uint8-round,block250,bn-eval]",
        "fd[pixels,native,test,360x360,uint8-round,block250,bn-eval]",
    ]
    assert len({value.value for value in found.values()}) == 3
