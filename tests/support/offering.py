"""Measures one metric on noise in the place of digits, without a registry around it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from harness.catalog import Catalog
from harness.contracts.capabilities import Samples
from harness.contracts.settings import EvaluationSettings
from harness.data import load_dataset
from harness.evaluation import Bench, MetricContext, Value
from harness.evaluation.metrics.metric import Metric
from harness.randomness import Seeds


class Noise:
    """Grey noise of 8x8 pixels, a little of the class in it; sample i is told i modulo the number of conditions."""

    def __init__(self, n_conditions: int = 0, told_labels: bool = True) -> None:
        self.networks: dict[str, torch.nn.Module] = {}
        self.n_conditions = n_conditions
        self.told_labels = bool(n_conditions) and told_labels

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        told = torch.from_numpy(seeds.indices) % max(self.n_conditions, 1)
        images = seeds.normal("noise", 1, 8, 8).mul(0.5).add(told.view(-1, 1, 1, 1) / 20).clamp(-1, 1)
        return Samples(images, told if self.n_conditions else None, torch.zeros(len(seeds), 1))


def offering(trained: object, catalog: Catalog, **settings: object) -> tuple[Bench, MetricContext]:
    """What a metric may ask for with scikit-learn's digits as the real images."""
    digits = load_dataset(catalog, "digits", Path("unused"))
    chosen = EvaluationSettings.model_validate({"samples": 100, "extractors": ("pixels",)} | settings)
    bench = Bench(trained, digits, catalog, 0, "cpu")
    return bench, MetricContext(bench, chosen)


def measured(metric: Metric, trained: object, catalog: Catalog, **settings: object) -> dict[str, Value]:
    """Every value of the metric by its protocol id."""
    bench, offer = offering(trained, catalog, **settings)
    found: dict[str, Value] = {}
    for measurement in metric.measurements(offer):
        values = measurement.compute(**{role: bench.get(each) for role, each in measurement.evidence.items()})
        for key, protocol in measurement.protocols.items():
            value = values[key]
            assert isinstance(value, Value)
            found[protocol.id] = value
    return found
