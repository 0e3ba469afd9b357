from __future__ import annotations

import numpy as np
import pytest

from harness.builtin.datasets import points
from harness.contracts.data import DataRequest

MODES = {
    "gaussian_clusters": points.gaussian_clusters_modes,
    "ring2d": points.ring2d_modes,
    "grid2d": points.grid2d_modes,
}


def test_ring_is_a_regular_octagon_of_radius_2() -> None:
    modes = points.ring2d_modes()
    np.testing.assert_allclose(np.hypot(*modes.means.T), 2.0)
    neighbours = np.linalg.norm(modes.means - np.roll(modes.means, 1, axis=0), axis=1)
    np.testing.assert_allclose(neighbours, 4 * np.sin(np.pi / 8))  # chord of an eighth of the circle
    assert (len(modes.means), modes.std) == (8, 0.01)


def test_grid_is_the_five_by_five_lattice_of_spacing_2() -> None:
    modes = points.grid2d_modes()
    assert {tuple(mean) for mean in modes.means} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert modes.std == 0.05


def test_clusters_are_those_of_the_thesis() -> None:
    modes = points.gaussian_clusters_modes()
    law = {tuple(mean): weight for mean, weight in zip(modes.means, modes.weights, strict=True)}
    assert law == {(-1, 1): 0.1, (0, -2): 0.2, (1, -1): 0.3, (2, 1): 0.4}
    assert modes.std == 0.3


@pytest.mark.parametrize("name", MODES)
def test_weights_sum_to_one(name) -> None:
    assert MODES[name]().weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", MODES)
def test_draws_have_the_means_spread_and_frequencies_of_the_mixture(name) -> None:
    modes, n = MODES[name](), 50_000
    values, labels = points.draw(modes, np.random.default_rng(0), n)
    assert values.dtype == np.float32
    assert labels.dtype == np.int64
    for k, (mean, weight) in enumerate(zip(modes.means, modes.weights, strict=True)):
        own = values[labels == k].astype(np.float64)
        # five standard errors of the frequency, the mean and the spread
        assert abs(len(own) / n - weight) < 5 * np.sqrt(weight * (1 - weight) / n)
        assert np.abs(own.mean(axis=0) - mean).max() < 5 * modes.std / np.sqrt(len(own))
        assert np.abs((own - mean).std() / modes.std - 1) < 5 / np.sqrt(4 * len(own))


@pytest.mark.parametrize("name", ["ring2d", "grid2d"])
def test_fixed_sets_are_the_same_twice_and_differ_between_splits(name, spec_of, tmp_path) -> None:
    def load(split):
        return getattr(points, name)(DataRequest(spec_of(name), tmp_path, split))

    train, again, test = load("train"), load("train"), load("test")
    assert len(train) == len(test) == 100_000
    assert train.checksum == again.checksum != test.checksum
    nearest = ((train.values[:500, None] - MODES[name]().means) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, train.labels[:500])


def test_the_law_is_endless_and_keyed_by_its_seed(spec_of, tmp_path) -> None:
    law = points.gaussian_clusters(DataRequest(spec_of("gaussian_clusters"), tmp_path, "train"))
    first, again, other = law.take(10, 1), law.take(10, 1), law.take(10, 2)
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)
    assert law.classes == ("cluster 0", "cluster 1", "cluster 2", "cluster 3")
