"""What fixes the features and statistics of real items: the key under which they are kept, and what an export says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness.evaluation.sets import REAL_ORDER_SEED, RealSet
from harness.evaluation.weights import weights_sha256

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench
    from harness.evaluation.observations import Features


def reference_key(bench: Bench, request: Features) -> dict[str, Any] | None:
    """Everything but the count; None for features that are not kept: generated ones, and those without a network."""
    if not isinstance(request.of, RealSet) or bench.catalog.extractor(request.extractor).weights is None:
        return None
    return {
        **measured_by(bench, request),
        "real_checksum": bench.dataset.finite(request.of.split).checksum,
        "order": REAL_ORDER_SEED,
        "batch": bench.extractor(request.extractor).batch,
        # other arithmetic gives other last digits
        "device": bench.device.type,
        "torch": torch.__version__,
    }


def statistics_key(bench: Bench, request: Features) -> dict[str, Any] | None:
    """The key of statistics, to which the count belongs; None for those that are not kept."""
    key = reference_key(bench, request)
    return None if key is None else {**key, "real_count": request.items()}


def measured_by(bench: Bench, request: Features) -> dict[str, Any]:
    """How features are made, under the names that protocols give it."""
    spec = bench.catalog.extractor(request.extractor)
    return {
        "extractor": request.extractor,
        "extractor_sha256": weights_sha256(spec),
        "output": request.output,
        "resize": bench.extractor(request.extractor).resize,
    }


def measured_of(bench: Bench, real: RealSet) -> dict[str, Any]:
    """Which real items, under the names that protocols give it."""
    return {
        "dataset": bench.dataset.name,
        "fit": bench.dataset.fit.describe() if bench.dataset.fit else "none",
        "split": real.split,
        "real_checksum": bench.dataset.finite(real.split).checksum,
    }
