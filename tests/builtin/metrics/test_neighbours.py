from __future__ import annotations

import pytest
import torch
from prdc import compute_prdc
from torch import Tensor
from torch_fidelity.metric_prc import prc_features_to_metric

from harness.builtin.metrics.neighbours import DISTANCES, Balls, neighbour_metrics, squared_distances, squared_radii
from harness.errors import EvaluationError


def cloud(n: int, seed: int, d: int = 16, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * rows + shift


def numbers(real: Tensor, generated: Tensor, **how: object) -> dict[str, float]:
    found = neighbour_metrics(real=real, generated=generated, **how)  # type: ignore[arg-type]
    return {name: value.value for name, value in found.items()}


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_prdc_on_open_balls(k: int) -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8, shift=0.2)
    oracle = compute_prdc(real.numpy(), generated.numpy(), nearest_k=k)
    balls = Balls(k, closed=False)
    found = numbers(real, generated, precision_recall=balls, density_coverage=balls)
    assert found == pytest.approx({name: float(value) for name, value in oracle.items()}, abs=1e-9)
    assert 0.1 < found["recall"] < found["precision"] < 1.0


def test_agrees_with_torch_fidelity_on_closed_balls() -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8, shift=0.2)
    oracle = prc_features_to_metric(generated, real, prc_neighborhood=3, verbose=False)
    found = numbers(real, generated)
    assert found["precision"] == pytest.approx(oracle["precision"], abs=1e-6)
    assert found["recall"] == pytest.approx(oracle["recall"], abs=1e-6)


def test_both_families_keep_their_own_k_in_the_shared_pass() -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8)
    together = numbers(real, generated)
    three = compute_prdc(real.numpy(), generated.numpy(), nearest_k=3)
    five = compute_prdc(real.numpy(), generated.numpy(), nearest_k=5)
    assert together["precision"] == pytest.approx(three["precision"])
    assert together["recall"] == pytest.approx(three["recall"])
    assert together["density"] == pytest.approx(five["density"])
    assert together["coverage"] == pytest.approx(five["coverage"])


@pytest.mark.parametrize("rows", [1, 7, 100, 10_000])
def test_the_size_of_a_band_changes_nothing(rows: int) -> None:
    real, generated = cloud(130, 0), cloud(90, 1)
    assert numbers(real, generated, rows=rows) == numbers(real, generated)


def test_roles_are_not_swapped() -> None:
    real, narrow = cloud(500, 0), cloud(500, 1, scale=0.3)
    found = numbers(real, narrow)
    assert found["precision"] > 0.95 > 0.3 > found["recall"]
    assert numbers(narrow, real)["precision"] == found["recall"]
    assert found["density"] > 1.0


def test_a_dropped_mode_lowers_recall_and_coverage_and_leaves_precision() -> None:
    two = torch.cat([cloud(300, 0), cloud(300, 1, shift=20.0)])
    full, one = torch.cat([cloud(200, 2), cloud(200, 3, shift=20.0)]), cloud(400, 4)
    whole, dropped = numbers(two, full), numbers(two, one)
    assert dropped["recall"] < 0.6 * whole["recall"]
    assert dropped["coverage"] < 0.6 * whole["coverage"]
    assert dropped["precision"] > 0.9 * whole["precision"]


def test_noise_lowers_precision_and_density() -> None:
    real, good = cloud(500, 0), cloud(500, 1)
    clean, noisy = numbers(real, good), numbers(real, good + cloud(500, 2, scale=1.5))
    assert noisy["precision"] < 0.5 * clean["precision"]
    assert noisy["density"] < 0.5 * clean["density"]


def test_distances_and_radii_on_a_line_are_known() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    (_, squared), *_ = squared_distances(line, line)
    assert torch.allclose(squared.sqrt(), (line - line.T).abs().double())
    radii = squared_radii(line, [1, 2])
    assert radii[1].sqrt().tolist() == pytest.approx([1, 1, 2, 4])
    assert radii[2].sqrt().tolist() == pytest.approx([3, 2, 3, 6])


def test_the_border_belongs_to_closed_balls_only() -> None:
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    outside = torch.tensor([[4.0], [40.0], [80.0], [120.0]])
    # with k = 1 every real ball has radius 1, and 4 lies on the border of the last
    for closed, precision in ((True, 0.25), (False, 0.0)):
        balls = Balls(1, closed)
        assert numbers(real, outside, precision_recall=balls, density_coverage=balls)["precision"] == precision


def test_ties_do_not_hang_on_rounding() -> None:
    """Memorised images lie exactly on borders: a shifted and turned copy of everything must give the same."""
    real = cloud(200, 0)
    generated = torch.cat([real[:60], cloud(40, 1)])
    turn = torch.linalg.qr(cloud(16, 5)).Q
    moved = numbers(real @ turn + 3.0, generated @ turn + 3.0)
    assert numbers(real, generated) == pytest.approx(moved, abs=1e-12)


def test_a_point_far_from_the_origin_keeps_its_digits() -> None:
    real, generated = cloud(200, 0), cloud(150, 1)
    assert numbers(real, generated) == pytest.approx(numbers(real + 1e5, generated + 1e5), abs=1e-12)


def test_copies_are_at_distance_zero_exactly() -> None:
    points = cloud(300, 0, d=64)
    (_, squared), *_ = squared_distances(points, points)
    assert torch.equal(squared.diagonal(), torch.zeros(300, dtype=torch.float64))
    assert float((squared + torch.eye(300)).min()) > 0.5


def test_the_same_images_score_full_marks() -> None:
    real = cloud(100, 0)
    found = numbers(real, real)
    assert found["precision"] == found["recall"] == found["coverage"] == 1.0


def test_one_image_over_and_over_has_no_recall() -> None:
    found = numbers(cloud(100, 0), cloud(1, 1).repeat(50, 1))
    assert found["recall"] == 0.0


def test_no_more_than_a_band_of_distances_is_held() -> None:
    bands = [squared.shape for _, squared in squared_distances(cloud(60, 0, d=2), cloud(100_000, 1, d=2))]
    assert len(bands) == 2
    assert all(rows * columns <= DISTANCES for rows, columns in bands)
    assert sum(rows for rows, _ in bands) == 60


@pytest.mark.parametrize(("real", "generated", "role"), [(5, 50, "real"), (50, 5, "generated"), (50, 0, "generated")])
def test_fewer_samples_than_neighbours_are_refused(real: int, generated: int, role: str) -> None:
    with pytest.raises(EvaluationError, match=f"k = 5 need at least 6 {role} samples, not {min(real, generated)}"):
        numbers(cloud(real, 0), cloud(generated, 1))
