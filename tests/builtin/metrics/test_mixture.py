from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from harness.builtin.metrics.mixture import divergence_from_law, modes_checksum, near_modes, recovered_and_good
from harness.contracts.capabilities import Samples
from harness.data import Modes
from harness.errors import EvaluationError

#: three modes on a line, far apart, standard deviation 0.1
THREE = Modes(np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]), 0.1, np.full(3, 1 / 3))


def samples(points: list[list[float]]) -> Samples:
    return Samples(torch.tensor(points), None, torch.zeros(len(points), 1))


def test_a_mode_is_recovered_by_one_good_point() -> None:
    found = recovered_and_good(
        "box", generated=samples([[0.1, 0.0], [0.0, 0.1], [10.0, 0.29], [15.0, 0.0]]), modes=THREE
    )
    assert found["modes"].value == 2
    assert found["high_quality_pct"].value == 75.0


def test_the_box_and_the_disc_differ_in_the_corner() -> None:
    corner = samples([[0.25, 0.25]])
    assert recovered_and_good("box", generated=corner, modes=THREE)["high_quality_pct"].value == 100.0
    assert recovered_and_good("disc", generated=corner, modes=THREE)["high_quality_pct"].value == 0.0


@pytest.mark.parametrize("region", ["box", "disc"])
def test_three_standard_deviations_are_just_outside(region: str) -> None:
    points = torch.tensor([[0.75, 0.0], [0.0, -0.75], [0.7499, 0.0]], dtype=torch.float64)
    means = torch.zeros(1, 2, dtype=torch.float64)
    assert near_modes(points, means, 0.25, region)[:, 0].tolist() == [False, False, True]  # type: ignore[arg-type]


def test_the_share_has_a_binomial_standard_error() -> None:
    found = recovered_and_good("box", generated=samples([[0.0, 0.0]] * 30 + [[5.0, 5.0]] * 10), modes=THREE)
    assert found["high_quality_pct"].std_error == pytest.approx(100 * math.sqrt(0.75 * 0.25 / 40))
    assert found["high_quality_pct"].std_error_of == "sampling"


def test_even_points_have_no_divergence_from_even_modes() -> None:
    even = samples([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]] * 5)
    assert divergence_from_law(generated=even, modes=THREE)["reverse_kl_nats"].value == pytest.approx(0.0, abs=1e-12)


def test_a_single_mode_costs_the_logarithm_of_their_number_in_nats() -> None:
    assert divergence_from_law(generated=samples([[0.0, 0.0]] * 4), modes=THREE)[
        "reverse_kl_nats"
    ].value == pytest.approx(math.log(3))


def test_the_same_divergence_is_also_given_in_log10() -> None:
    found = divergence_from_law(generated=samples([[0.0, 0.0]] * 4), modes=THREE)
    assert found["reverse_kl_log10"].value == pytest.approx(math.log10(3))
    assert found["reverse_kl_log10"].std_error == pytest.approx(found["reverse_kl_nats"].std_error / math.log(10))  # type: ignore[operator]


def test_bad_points_count_for_their_nearest_mode() -> None:
    strays = samples([[4.9, 3.0], [5.1, 3.0], [25.0, -9.0]])
    assert divergence_from_law(generated=strays, modes=THREE)["reverse_kl_nats"].value == pytest.approx(0.0, abs=1e-12)


def test_divergence_is_from_the_weights_of_the_law() -> None:
    uneven = Modes(THREE.means, THREE.std, np.array([0.7, 0.2, 0.1]))
    points = samples([[0.0, 0.0]] * 5 + [[10.0, 0.0]] * 5)
    expected = entropy([0.5, 0.5, 0.0], uneven.weights)
    assert divergence_from_law(generated=points, modes=uneven)["reverse_kl_nats"].value == pytest.approx(expected)


def test_many_points_are_counted_across_bands() -> None:
    points = torch.zeros(20_001, 2)
    points[10_000:, 0] = 10.0
    many = Samples(points, None, points)
    assert recovered_and_good("box", generated=many, modes=THREE)["modes"].value == 2
    expected = entropy([10_000 / 20_001, 10_001 / 20_001, 0.0], THREE.weights)
    assert divergence_from_law(generated=many, modes=THREE)["reverse_kl_nats"].value == pytest.approx(expected)


def test_samples_of_another_shape_and_no_samples_are_refused() -> None:
    with pytest.raises(EvaluationError, match="shape 4x3 cannot be held against modes of 2 axes"):
        divergence_from_law(generated=samples([[0.0, 0.0, 0.0]] * 4), modes=THREE)
    with pytest.raises(EvaluationError, match="at least 1 sample, not 0"):
        recovered_and_good("box", generated=Samples(torch.zeros(0, 2), None, torch.zeros(0, 1)), modes=THREE)


def test_the_checksum_tells_laws_apart() -> None:
    others = [
        Modes(THREE.means + 1, THREE.std, THREE.weights),
        Modes(THREE.means, 0.2, THREE.weights),
        Modes(THREE.means, THREE.std, np.array([0.7, 0.2, 0.1])),
    ]
    assert len({modes_checksum(modes) for modes in (THREE, *others)}) == 4
