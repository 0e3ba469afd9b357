"""The built-in metrics: names and where their code is."""

from __future__ import annotations

from harness.specs import MetricSpec

_HERE = "harness.builtin.metrics"

SPECS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="fd",
        summary="Frechet distance between Gaussians fitted to features of real and generated images",
        metric=f"{_HERE}.frechet:FrechetDistance",
        names={"fd": False},
    ),
    MetricSpec(
        name="is",
        summary="inception-score form: exp of the mean KL divergence of a classifier's answers from their average",
        metric=f"{_HERE}.inception_score:InceptionScore",
        names={"is": True},
    ),
    MetricSpec(
        name="neighbours",
        summary="k-nearest-neighbour manifolds: precision and recall (k = 3), density and coverage (k = 5)",
        metric=f"{_HERE}.neighbours:Neighbours",
        names={"precision": True, "recall": True, "density": True, "coverage": True},
    ),
    MetricSpec(
        name="mixture",
        summary="points against a known mixture: recovered modes, share of samples near a mode, reverse KL in nats",
        metric=f"{_HERE}.mixture:Mixture",
        names={"modes": True, "high_quality_pct": True, "reverse_kl": False},
        kinds=("points",),
    ),
)
