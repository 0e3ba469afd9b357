from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from offering import Noise, measured
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance
from harness.builtin.metrics.frechet_infinity import FrechetInfinity, Parts, fd_inf, intercept, sample_counts
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation import Gaussian, fit_gaussian


def features(n: int, d: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 3.0


def test_fifteen_counts_from_a_tenth_to_all() -> None:
    assert sample_counts(50_000)[0] == 5000
    assert sample_counts(50_000)[-1] == 50_000
    steps = np.diff(sample_counts(50_000))
    assert len(steps) == 14
    assert steps.max() - steps.min() <= 1
    assert sample_counts(16) == list(range(2, 17))


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(EvaluationError, match="needs at least 16 generated samples, not 15"):
        sample_counts(15)


def test_the_line_and_its_error_are_those_of_least_squares() -> None:
    sizes = [10.0, 20.0, 35.0, 50.0, 90.0]
    distances = [3.1, 2.2, 1.7, 1.45, 1.3]
    (slope, start), covariance = np.polyfit(1 / np.array(sizes), distances, 1, cov=True)
    found = intercept(sizes, distances)
    assert found == pytest.approx((start, covariance[1, 1] ** 0.5, slope))


def test_points_on_a_line_leave_no_error() -> None:
    sizes = [10.0, 20.0, 40.0, 80.0]
    assert intercept(sizes, [2.0 + 30.0 / size for size in sizes]) == pytest.approx((2.0, 0.0, 30.0), abs=1e-12)


@pytest.mark.parametrize("count", [2, 5, 19, 20, 21, 99, 100, 140, 199, 200])
def test_parts_are_fitted_as_if_by_themselves(count: int) -> None:
    rows = features(200, 20, 0) + 1000.0
    order = torch.from_numpy(np.random.default_rng(0).permutation(200))
    found, plain = Parts(rows).gaussian(order, count), fit_gaussian(rows[order[:count]])
    assert torch.allclose(found.mean, plain.mean, rtol=1e-13, atol=0)
    assert torch.allclose(found.full_covariance(), plain.full_covariance(), rtol=1e-9, atol=1e-12)
    assert found.count == count


def test_equal_laws_extrapolate_to_nothing_where_one_distance_does_not() -> None:
    """Of equal laws every distance is bias, and the line takes it away."""
    real, generated = fit_gaussian(features(200_000, 12, 0)), features(4000, 12, 1)
    found = fd_inf(real=real, generated=generated)["fd_inf"]
    at_all = frechet_distance(real, fit_gaussian(generated))
    assert found.std_error is not None
    assert abs(found.value) < 0.5 * at_all
    assert found.details["fd_at_all"] == pytest.approx(at_all)
    assert found.details["slope"] > 0
    assert found.std_error_of == "fit"


def test_a_true_distance_stays() -> None:
    real, generated = fit_gaussian(features(100_000, 4, 0)), features(4000, 4, 1, scale=2.0)
    found = fd_inf(real=real, generated=generated - generated.mean(0) + real.mean)["fd_inf"]
    assert found.value == pytest.approx(4 * (2.0 - 1.0) ** 2, rel=0.05)  # spreads of 1 and 2 in four features


def test_the_same_samples_give_the_same_number() -> None:
    real, generated = fit_gaussian(features(500, 6, 0)), features(300, 6, 1)
    assert fd_inf(real=real, generated=generated)["fd_inf"] == fd_inf(real=real, generated=generated)["fd_inf"]


def test_every_count_takes_a_part_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are no prefixes of one another: their errors would lean on each other."""
    taken = []
    fitted = Parts.gaussian

    def recorded(self: Parts, order: Tensor, count: int) -> Gaussian:
        taken.append(set(order[:count].tolist()))
        return fitted(self, order, count)

    monkeypatch.setattr(Parts, "gaussian", recorded)
    fd_inf(real=fit_gaussian(features(500, 6, 0)), generated=features(300, 6, 1))
    assert [len(rows) for rows in taken] == sample_counts(300)
    assert not any(fewer <= more for fewer, more in pairwise(taken[:10]))


def test_remarks_on_singular_covariances_and_on_a_line_below_zero() -> None:
    real = fit_gaussian(features(500, 40, 0))
    few = fd_inf(real=real, generated=features(300, 40, 1))["fd_inf"]
    assert few.remark is not None
    assert few.remark.startswith("30 generated samples for 40 features")
    below = fd_inf(real=fit_gaussian(features(300, 6, 0)), generated=features(300, 6, 0))["fd_inf"]
    assert below.value < 0
    assert below.remark == "the line ends below zero, where no distance is"


def test_the_protocol_says_how_the_line_was_made(catalog: Catalog) -> None:
    found = measured(FrechetInfinity(), Noise(), catalog, split="both")
    ending = "15points,from10,fresh,uint8-round,block250,bn-eval]"
    assert list(found) == [
        f"fd_inf[pixels,native,train,1437x100,{ending}",
        f"fd_inf[pixels,native,test,360x100,{ending}",
    ]
