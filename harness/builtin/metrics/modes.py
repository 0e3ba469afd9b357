"""Modes by either way of telling them apart: the law behind points, or a classifier of images."""

from __future__ import annotations

from collections.abc import Sequence

from harness.builtin.metrics.classified_modes import ClassifiedModes
from harness.builtin.metrics.mixture import Mixture
from harness.evaluation import Measurement, Metric, MetricContext


class RecoveredModes:
    """`modes`, `high_quality_pct` and `reverse_kl` of points or of images."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        metric: Metric = Mixture() if context.dataset.spec.kind == "points" else ClassifiedModes()
        return metric.measurements(context)
