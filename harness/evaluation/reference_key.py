"""What fixes the features and statistics of real items: the key under which they are kept, and what an export says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import torch

from harness.evaluation.sets import REAL_ORDER_SEED, RealSet
from harness.evaluation.weights import weights_sha256

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench
    from harness.evaluation.observations import Features


#: what feature networks are made of
PACKAGES = ("torch", "torchvision", "pillow", "torch-fidelity", "clean-fid", "timm", "efficientnet-lite-pytorch")


def reference_key(bench: Bench, request: Features) -> dict[str, Any] | None:
    """Everything but the count; None for features that are not kept: generated ones, and those without a network."""
    if not isinstance(request.of, RealSet) or bench.catalog.extractor(request.extractor).weights is None:
        return None
    return {
        **measured_by(bench, request),
        "real_checksum": bench.dataset.finite(request.of.split).checksum,
        "order": REAL_ORDER_SEED,
        "batch": bench.extractor(request.extractor).batch,
        # other arithmetic, or another release of what resizes and looks, gives other digits
        "device": _device(bench.device),
        "packages": {name: _version(name) for name in PACKAGES},
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
        "extractor_version": spec.version,
        "output": request.output,
        "resize": bench.extractor(request.extractor).resize,
    }


def measured_of(bench: Bench, real: RealSet) -> dict[str, Any]:
    """Which real items, under the names that protocols give it."""
    return {
        "dataset": bench.dataset.name,
        "fit": bench.dataset.fitting,
        "split": real.split,
        "real_checksum": bench.dataset.finite(real.split).checksum,
    }


def _device(device: torch.device) -> str:
    """The GPU's name, or the device's kind: processors of one kind are not told apart."""
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.cuda.get_device_name(device)
    return device.type


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
