from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from harness.builtin.metrics.divergence import in_units, reverse_kl, sampling_error


def law(classes: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).dirichlet(np.full(classes, 5.0)))


def test_it_is_the_relative_entropy_of_scipy() -> None:
    counts, weights = torch.tensor([5, 0, 12, 3]), law(4)
    assert reverse_kl(counts, weights) == pytest.approx(entropy(counts.numpy(), weights.numpy()), abs=1e-14)


def test_shares_that_are_the_weights_have_no_divergence_and_never_a_negative_one() -> None:
    for seed in range(200):
        counts = torch.from_numpy(np.random.default_rng(seed).integers(1, 1000, 13))
        shares = counts.double() / counts.sum()
        assert 0.0 <= reverse_kl(counts, shares / shares.sum()) < 1e-14


def test_one_of_k_equal_modes_costs_their_logarithm_in_either_unit() -> None:
    found = in_units(torch.tensor([7] + [0] * 999), torch.full((1000,), 1e-3, dtype=torch.float64))
    assert found["reverse_kl_nats"].value == pytest.approx(math.log(1000))
    assert found["reverse_kl_log10"].value == pytest.approx(3.0)


def test_both_units_say_the_same_of_value_error_and_floor() -> None:
    nats, log10 = in_units(torch.tensor([5, 0, 12, 3]), law(4)).values()
    assert nats.std_error is not None
    assert log10.std_error is not None
    for of_nats, of_log10 in (
        (nats.value, log10.value),
        (nats.std_error, log10.std_error),
        (nats.details["floor"], log10.details["floor"]),
    ):
        assert of_log10 == pytest.approx(of_nats / math.log(10))


@pytest.mark.parametrize("classes", [8, 1000])
def test_the_floor_is_what_a_perfect_generator_scores(classes: int) -> None:
    weights = torch.full((classes,), 1 / classes, dtype=torch.float64)
    draws = np.random.default_rng(1).multinomial(50_000, weights.numpy(), 200)
    scored = [reverse_kl(torch.from_numpy(counts), weights) for counts in draws]
    floor = in_units(torch.from_numpy(draws[0]), weights)["reverse_kl_nats"].details["floor"]
    assert floor == pytest.approx(np.mean(scored), rel=0.1)
    if classes == 1000:
        assert floor == pytest.approx(0.0100, abs=5e-5)


def test_the_standard_error_of_equal_shares_is_that_of_a_chi_squared_law() -> None:
    counts = torch.full((20,), 5)
    assert sampling_error(counts, counts / 100) == pytest.approx((19 / 2) ** 0.5 / 100, rel=1e-6)


@pytest.mark.parametrize("same", [True, False])
def test_the_standard_error_is_the_spread_over_draws(same: bool) -> None:
    weights = law(20)
    truth = weights if same else law(20, seed=3)
    draws = np.random.default_rng(2).multinomial(5000, truth.numpy(), 400)
    scored = np.array([reverse_kl(torch.from_numpy(counts), weights) for counts in draws])
    said = np.mean([sampling_error(torch.from_numpy(counts), weights) for counts in draws[:50]])
    # near the law both orders are of one size, and their sum is above the truth by up to a half
    assert scored.std() * (0.9 if not same else 0.95) < said < scored.std() * (1.1 if not same else 2.0)
