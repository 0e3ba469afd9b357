"""Features: what a network says of a set's images, made in one pass, and kept where the set is real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Bench, OfSet, SetEvidence
from harness.evaluation.evidence.image_sets import REAL_ORDER_SEED, RealSet
from harness.evaluation.feature_networks.weights import weights_sha256
from harness.evaluation.reference_statistics.gaussian import Gaussian
from harness.evaluation.sampling.batches import Progress, batches
from harness.evaluation.sampling.quantise import quantised


@dataclass(frozen=True)
class Features(OfSet[Tensor]):
    """What a feature network says of a set of images: float32 [N, F] on the CPU.

    :param of: the images.
    :param extractor: name of the feature network.
    :param output: which of its outputs; "features", or "logits" of a classifier.
    :param quantise: rule by which float images become uint8, or stay floats, before they are looked at.
    """

    of: SetEvidence[Any]
    extractor: str
    output: Literal["features", "logits"] | str = "features"
    quantise: str = "round"

    passes_over: ClassVar[bool] = True

    def make(self, bench: Bench) -> Tensor:
        """Its rows, from the cache where real ones lie there; whatever else is expected of the images comes along."""
        kept = kept_features(bench, self)
        if kept is not None:
            return kept
        family = self.of.resized(0)
        others = [
            other
            for other in bench.outstanding()
            if isinstance(other, Features)
            and other.of.resized(0) == family
            and other.resized(0) != self.resized(0)
            and kept_features(bench, other) is None
        ]
        most = max(request.items() for request in (self, *others))
        made = feature_pass(bench, self.of.resized(most), [self, *others])
        for request in (self, *others):
            keep_features(bench, request, made[request])
            if request is not self:
                bench.put(request, made[request])
        return made[self]


#: images that are taken from the set at once; a feature network sees them in parts of its own fixed size. The last
#: batch is filled up with zeros, so that no value depends on the count
FEATURE_BATCH = 128


def feature_pass(bench: Bench, of: SetEvidence[Any], wanted: Sequence[Features]) -> dict[Features, Tensor]:
    """Every wanted output for the images of `of`, each float32 [N, F] on the CPU, in one pass over the images."""
    count, made = of.items(), 0
    progress = Progress(bench.note, f"features of {count:,} images")
    rows: dict[Features, Tensor] = {}
    rules = {(request.extractor, request.quantise) for request in wanted}
    with closing(bench.blocks(of)) as blocks, torch.no_grad():
        for start, batch, held in batches(blocks, FEATURE_BATCH):
            made += held
            progress.at(made)
            looked_at = {
                (name, rule): _outputs(bench, name, quantised(batch, rule), held) for name, rule in sorted(rules)
            }
            for request in wanted:
                output = _named(looked_at[request.extractor, request.quantise], request)
                if request not in rows:
                    rows[request] = torch.empty(request.items(), output.shape[1])
                kept = min(held, request.items() - start)
                if kept > 0:
                    rows[request][start : start + kept] = output[:kept].cpu()
    if made != count:
        raise EvaluationError(f"a set of {count} images was made of {made}")
    return rows


def _outputs(bench: Bench, extractor: str, images: Tensor, kept: int) -> Mapping[str, Tensor]:
    """Outputs of the first `kept` images, and of those that share a part with them: parts always have one size."""
    network = bench.extractor(extractor)
    needed = images.split(network.batch)[: -(-kept // network.batch)]
    parts = [network(part.contiguous().to(bench.device)) for part in needed]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _named(outputs: Mapping[str, Tensor], request: Features) -> Tensor:
    if request.output not in outputs:
        raise EvaluationError(f"extractor '{request.extractor}' gives {', '.join(outputs)}, not {request.output}")
    return outputs[request.output]


def kept_features(bench: Bench, request: Features) -> Tensor | None:
    """Features of real items from an earlier evaluation, if there are any."""
    if ("features", request) not in bench.kept:
        key = reference_key(bench, request)
        bench.kept["features", request] = key and bench.cache.features(key, request.items())
    kept: Tensor | None = bench.kept["features", request]
    return kept


def keep_features(bench: Bench, request: Features, rows: Tensor) -> None:
    """Keep features for a later evaluation, where they are those of real items."""
    if (key := reference_key(bench, request)) is not None:
        bench.cache.keep_features(key, rows)


def kept_statistics(bench: Bench, request: Features) -> Gaussian | None:
    """Statistics of the features of real items from an earlier evaluation, if there are any."""
    if ("statistics", request) not in bench.kept:
        key = statistics_key(bench, request)
        bench.kept["statistics", request] = key and bench.cache.statistics(key)
    kept: Gaussian | None = bench.kept["statistics", request]
    return kept


def keep_statistics(bench: Bench, request: Features, gaussian: Gaussian) -> None:
    """Keep statistics for a later evaluation."""
    if (key := statistics_key(bench, request)) is not None:
        bench.cache.keep_statistics(key, gaussian)


#: what feature networks are made of
PACKAGES = ("torch", "torchvision", "pillow", "torch-fidelity", "clean-fid", "timm", "efficientnet-lite-pytorch")


def reference_key(bench: Bench, request: Features) -> dict[str, Any] | None:
    """Everything but the count; None for features that are not kept: generated ones, and those without a network."""
    if not isinstance(request.of, RealSet) or bench.catalog.extractor(request.extractor).weights is None:
        return None
    return {
        **measured_by(bench, request),
        "real_checksum": bench.dataset.finite(request.of.split).checksum,
        # nothing that was taken over for the splits as they are stored stands in for a fold's: numbers of all folds are
        # of one protocol
        **({} if bench.dataset.fold is None else {"folds": bench.dataset.fold.of}),
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
