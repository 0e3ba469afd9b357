"""Points in the plane from mixtures of Gaussians that are known: the toy data of the mode-collapse literature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.contracts import DataRequest, Law, Modes, Split
from harness.randomness import keyed

#: size of each split of the fixed sets
POINTS = 100_000


def gaussian_clusters(request: DataRequest) -> Law:
    """Four clusters, fresh points at every step; labels are the clusters."""
    modes = gaussian_clusters_modes()
    identity = f"mixture of Gaussians: means {modes.means.tolist()}, weights {modes.weights.tolist()}, std {modes.std}"
    return Law(lambda generator, n: draw(modes, generator, n), request.spec.classes or (), identity)


def gaussian_clusters_modes() -> Modes:
    """Centres and weights of the four clusters, each of standard deviation 0.3 per axis (Cho 2025)."""
    means = np.array([[-1.0, 1.0], [0.0, -2.0], [1.0, -1.0], [2.0, 1.0]])
    return Modes(means, 0.3, np.array([0.1, 0.2, 0.3, 0.4]))


def ring2d(request: DataRequest) -> Split:
    """Eight modes on a circle; 100,000 points, always the same."""
    return _fixed(request, ring2d_modes)


def ring2d_modes() -> Modes:
    """Mode k at angle 2 pi k / 8 on the circle of radius 2, standard deviation 0.01 per axis."""
    angle = 2 * np.pi * np.arange(8) / 8
    means = 2.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Modes(means, 0.01, np.full(8, 1 / 8))


def grid2d(request: DataRequest) -> Split:
    """Twenty-five modes on a square grid; 100,000 points, always the same."""
    return _fixed(request, grid2d_modes)


def grid2d_modes() -> Modes:
    """Mode 5 i + j at (2 i - 4, 2 j - 4), i, j = 0..4, standard deviation 0.05 per axis."""
    i, j = np.divmod(np.arange(25), 5)
    means = np.stack([2.0 * i - 4.0, 2.0 * j - 4.0], axis=1)
    return Modes(means, 0.05, np.full(25, 1 / 25))


def draw(modes: Modes, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` independent points: float32 [n, D], and the mode of each, int64 [n]."""
    labels = generator.choice(len(modes.weights), size=n, p=modes.weights)
    noise = generator.standard_normal((n, modes.means.shape[1]))
    return (modes.means[labels] + modes.std * noise).astype(np.float32), labels.astype(np.int64)


def _fixed(request: DataRequest, modes: Callable[[], Modes]) -> Split:
    values, labels = draw(modes(), keyed("points", request.name, request.split), POINTS)
    return Split(values, labels, request.spec.classes or ())
