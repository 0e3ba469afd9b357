from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
import torch
from offering import Noise, measured
from prdc import compute_prdc
from torch import Tensor
from torch_fidelity.metric_prc import prc_features_to_metric

from harness.builtin.metrics import crossings, radii
from harness.builtin.metrics.distances import Placed, exact
from harness.builtin.metrics.neighbours import TIE, Balls, Neighbours, balls_of, neighbour_metrics
from harness.builtin.metrics.neighbours_settings import NeighboursSettings
from harness.catalog import Catalog
from harness.errors import EvaluationError

#: as they are where nothing else is said
USUAL = dict(zip(("precision_recall", "density_coverage"), balls_of(NeighboursSettings()), strict=True))


def cloud(n: int, seed: int, d: int = 16, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * rows + shift


def numbers(real: Tensor, generated: Tensor, **how: object) -> dict[str, float]:
    found = neighbour_metrics(real=real, generated=generated, **(USUAL | how))  # type: ignore[arg-type]
    return {name: value.value for name, value in found.items()}


def directly(real: Tensor, generated: Tensor, precision_recall: Sequence[Balls], density: Balls) -> dict[str, float]:
    """The same by plain float64 differences of every pair."""
    ks = {balls.k for balls in (*precision_recall, density)}
    of_real, of_generated = ({k: plain_radii(points, k) for k in ks} for points in (real, generated))
    squared = plain_distances(real, generated)  # [N, M]
    found = {}
    for balls in precision_recall:
        found[f"precision_k{balls.k}"] = held(squared, of_real[balls.k][:, None], balls).any(0)
        found[f"recall_k{balls.k}"] = held(squared, of_generated[balls.k], balls).any(1)
    inside = held(squared, of_real[density.k][:, None], density)
    found |= {"density": inside.sum(0).double() / density.k, "coverage": inside.any(1)}
    return {name: float(each.double().mean()) for name, each in found.items()}


def plain_distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([(row - b.double()).square().sum(1) for row in a.double()])


def plain_radii(points: Tensor, k: int) -> Tensor:
    return plain_distances(points, points).sort(1).values[:, k]  # the first is the point itself


def held(squared: Tensor, radius: Tensor, balls: Balls) -> Tensor:
    return squared <= radius * (1 + TIE) if balls.closed else squared < radius * (1 - TIE)


def lattice(n: int, seed: int, d: int = 2, side: int = 9) -> Tensor:
    """Points with whole coordinates: many copies, and most distances equal to others."""
    return torch.randint(side, (n, d), generator=torch.Generator().manual_seed(seed)).double()


def clusters(n: int, seed: int, width: float) -> Tensor:
    """Five tight clusters far from each other."""
    centres = cloud(5, 77, d=24, scale=100.0)
    return centres[torch.arange(n) % 5] + cloud(n, seed, d=24, scale=width)


def outlier(points: Tensor, size: float) -> Tensor:
    """The same, the first point far away."""
    return torch.cat([points[:1] * 0 + size, points[1:]])


PAIR = (cloud(700, 0, d=40), torch.cat([cloud(500, 1, d=40, scale=0.9), cloud(150, 2, d=40)]))
SETS = {
    "plain": PAIR,
    "float32": tuple(points.float() for points in PAIR),
    "far from the origin": tuple(points + 1e4 for points in PAIR),
    "far from the origin, float32": tuple((points + 1e4).float() for points in PAIR),
    "far from each other": (PAIR[0], PAIR[1] + 1e6),
    "tiny": tuple(points * 1e-30 for points in PAIR),
    "huge": tuple(points * 1e30 for points in PAIR),
    "one huge norm": (PAIR[0], outlier(PAIR[1], 1e12)),
    "two scales": (PAIR[0], PAIR[1] * 1e-9),
    "memorised": (PAIR[0], torch.cat([PAIR[0][:300], PAIR[1][:50]])),
    "all alike": (PAIR[0][:1].repeat(60, 1), PAIR[0][:1].repeat(50, 1)),
    "one side alike": (PAIR[0], PAIR[0][:1].repeat(50, 1)),
    "lattice": (lattice(600, 0), lattice(1500, 1)),
    "lattice far out": (lattice(600, 0) + 1e7, lattice(300, 1) + 1e7),
    "lattice in many dimensions": (lattice(300, 0, d=12, side=2), lattice(400, 1, d=12, side=2)),
    "tight clusters": (clusters(700, 0, 1e-4), clusters(800, 1, 1e-4)),
    "tighter clusters": (clusters(300, 0, 1e-6), clusters(400, 1, 2e-6)),
    "clusters of copies": (clusters(300, 0, 0.0), clusters(400, 1, 0.0)),
    "as few as can be": (cloud(6, 0), cloud(6, 1)),
    "more than a tile": (cloud(1030, 0, d=3), cloud(1100, 1, d=3)),
}


@pytest.mark.parametrize("name", SETS)
def test_equals_plain_differences_in_float64(name: str) -> None:
    real, generated = SETS[name]
    closed, open_ = (Balls(3, closed=True), Balls(5, closed=True)), Balls(5, closed=False)
    assert numbers(real, generated) == pytest.approx(directly(real, generated, closed, open_), rel=1e-12)
    assert numbers(generated, real) == pytest.approx(directly(generated, real, closed, open_), rel=1e-12)


def test_few_pairs_are_measured_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of float32 tell nearly all pairs of ordinary features apart."""
    measured: list[int] = []

    def counting(a: Placed, i: Tensor, b: Placed, j: Tensor) -> Tensor:
        measured.append(len(i))
        return exact(a, i, b, j)

    for module in (radii, crossings):
        monkeypatch.setattr(module, "exact", counting)
    numbers(cloud(2000, 0, d=64), cloud(2000, 1, d=64))
    # the five nearest neighbours of each point, and hardly anything beyond
    assert 2 * 2000 * 5 <= sum(measured) < 2 * 2000 * 7


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_prdc_on_open_balls(k: int) -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8, shift=0.2)
    oracle = compute_prdc(real.numpy(), generated.numpy(), nearest_k=k)
    balls = Balls(k, closed=False)
    found = numbers(real, generated, precision_recall=[balls], density_coverage=balls)
    found = {name.removesuffix(f"_k{k}"): value for name, value in found.items()}
    assert found == pytest.approx({name: float(value) for name, value in oracle.items()}, abs=1e-9)
    assert 0.1 < found["recall"] < found["precision"] < 1.0


@pytest.mark.parametrize("k", [3, 5])
def test_agrees_with_torch_fidelity_on_closed_balls(k: int) -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8, shift=0.2)
    oracle = prc_features_to_metric(generated, real, prc_neighborhood=k, verbose=False)
    found = numbers(real, generated)
    assert found[f"precision_k{k}"] == pytest.approx(oracle["precision"], abs=1e-6)
    assert found[f"recall_k{k}"] == pytest.approx(oracle["recall"], abs=1e-6)


def test_all_families_keep_their_own_k_in_the_shared_pass() -> None:
    real, generated = cloud(400, 0), cloud(300, 1, scale=0.8)
    together = numbers(real, generated)
    for k in (3, 5):
        oracle = compute_prdc(real.numpy(), generated.numpy(), nearest_k=k)
        assert together[f"precision_k{k}"] == pytest.approx(oracle["precision"])
        assert together[f"recall_k{k}"] == pytest.approx(oracle["recall"])
    assert together["density"] == pytest.approx(oracle["density"])
    assert together["coverage"] == pytest.approx(oracle["coverage"])


@cache
def spreads(redrawn: str, scale: float) -> dict[str, float]:
    """Standard errors over how far numbers really spread, when one side is drawn 200 times and the other stays."""
    drawn = []
    for number in range(200):
        seeds = {"real": 0, "generated": 1000} | {redrawn: 2000 + number}
        real, generated = cloud(200, seeds["real"], d=4), cloud(150, seeds["generated"], d=4, scale=scale)
        drawn.append(neighbour_metrics(real=real, generated=generated, **USUAL))  # type: ignore[arg-type]
    assert {value.std_error_of for found in drawn for value in found.values()} == {"sampling"}
    values, errors = (
        {name: torch.tensor([getattr(found[name], field) for found in drawn]) for name in drawn[0]}
        for field in ("value", "std_error")
    )
    return {name: float(errors[name].mean() / values[name].std()) for name in values}


def test_errors_of_precision_and_density_are_the_spread_over_new_samples() -> None:
    found = spreads("generated", 1.5)
    assert [found[name] for name in ("precision_k3", "precision_k5", "density")] == pytest.approx([1.0] * 3, rel=0.15)


def test_errors_of_recall_are_the_spread_over_new_real_items() -> None:
    found = spreads("real", 0.7)
    assert [found[name] for name in ("recall_k3", "recall_k5")] == pytest.approx([1.0] * 2, rel=0.15)


@pytest.mark.parametrize("redrawn", ["real", "generated"])
def test_coverage_spreads_by_up_to_half_as_much_again_because_its_balls_are_drawn_too(redrawn: str) -> None:
    assert 1 / 1.6 < spreads(redrawn, 1.5)["coverage"] < 1.0


def test_roles_are_not_swapped() -> None:
    real, narrow = cloud(500, 0), cloud(500, 1, scale=0.3)
    found = numbers(real, narrow)
    assert found["precision_k3"] > 0.95 > 0.3 > found["recall_k3"]
    assert numbers(narrow, real)["precision_k3"] == found["recall_k3"]
    assert found["density"] > 1.0


def test_a_dropped_mode_lowers_recall_and_coverage_and_leaves_precision() -> None:
    two = torch.cat([cloud(300, 0), cloud(300, 1, shift=20.0)])
    full, one = torch.cat([cloud(200, 2), cloud(200, 3, shift=20.0)]), cloud(400, 4)
    whole, dropped = numbers(two, full), numbers(two, one)
    assert dropped["recall_k3"] < 0.6 * whole["recall_k3"]
    assert dropped["coverage"] < 0.6 * whole["coverage"]
    assert dropped["precision_k3"] > 0.9 * whole["precision_k3"]


def test_noise_lowers_precision_and_density() -> None:
    real, good = cloud(500, 0), cloud(500, 1)
    clean, noisy = numbers(real, good), numbers(real, good + cloud(500, 2, scale=1.5))
    assert noisy["precision_k3"] < 0.5 * clean["precision_k3"]
    assert noisy["density"] < 0.5 * clean["density"]


def test_the_border_belongs_to_closed_balls_only() -> None:
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    outside = torch.tensor([[4.0], [40.0], [80.0], [120.0]])
    # with k = 1 every real ball has radius 1, and 4 lies on the border of the last
    for closed, precision in ((True, 0.25), (False, 0.0)):
        balls = Balls(1, closed)
        assert numbers(real, outside, precision_recall=[balls], density_coverage=balls)["precision_k1"] == precision


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


def test_the_same_images_score_full_marks() -> None:
    real = cloud(100, 0)
    found = numbers(real, real)
    assert found["precision_k3"] == found["recall_k3"] == found["coverage"] == 1.0


def test_one_image_over_and_over_has_no_recall() -> None:
    found = numbers(cloud(100, 0), cloud(1, 1).repeat(50, 1))
    assert found["recall_k3"] == 0.0


def test_features_that_are_not_finite_are_refused() -> None:
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(EvaluationError, match="features hold values that are not finite"):
            numbers(cloud(30, 0), outlier(cloud(30, 1), wrong))


def test_features_of_different_networks_are_refused() -> None:
    with pytest.raises(EvaluationError, match="features of 8 and of 9 dimensions cannot be compared"):
        numbers(cloud(20, 0, d=8), cloud(20, 0, d=9))


@pytest.mark.parametrize(("real", "generated", "role"), [(5, 50, "real"), (50, 5, "generated"), (50, 0, "generated")])
def test_fewer_samples_than_neighbours_are_refused(real: int, generated: int, role: str) -> None:
    with pytest.raises(EvaluationError, match=f"k = 5 need at least 6 {role} samples, not {min(real, generated)}"):
        numbers(cloud(real, 0), cloud(generated, 1))


def test_every_split_has_its_numbers(catalog: Catalog) -> None:
    found = measured(Neighbours(NeighboursSettings()), Noise(), catalog, split="both", neighbours_samples=40)
    assert [identity.replace(",uint8-round,block250,bn-eval]", "") for identity in found] == [
        f"{name}[pixels,native,{split},40x40,{balls}"
        for split in ("train", "test")
        for name, balls in (
            ("precision", "k3,closed"),
            ("recall", "k3,closed"),
            ("precision", "k5,closed"),
            ("recall", "k5,closed"),
            ("density", "k5,open"),
            ("coverage", "k5,open"),
        )
    ]


def test_balls_reach_as_far_as_it_is_told(catalog: Catalog) -> None:
    told = NeighboursSettings(precision_recall_k=(2,), density_coverage_k=7)
    assert balls_of(told) == ((Balls(2, closed=True),), Balls(7, closed=False))
    found = measured(Neighbours(told), Noise(), catalog, neighbours_samples=40)
    usual = measured(Neighbours(NeighboursSettings()), Noise(), catalog, neighbours_samples=40)
    assert [identity[: identity.index(",uint8")] for identity in found] == [
        f"{name}[pixels,native,train,40x40,{balls}"
        for name, balls in (
            ("precision", "k2,closed"),
            ("recall", "k2,closed"),
            ("density", "k7,open"),
            ("coverage", "k7,open"),
        )
    ]
    assert not set(found) & set(usual)
    with pytest.raises(EvaluationError, match="k = 7 need at least 8 real samples, not 7"):
        numbers(cloud(7, 0), cloud(50, 1), density_coverage=balls_of(told)[1])
