"""How many dimensions generated images have: principal axes that carry variance (Feng et al. 2021, supplement).

An axis counts where its variance, an eigenvalue of the covariance, is above 1 % of the largest. Layers that a method
shows (a mapping network) are looked at in the same way, each over 51,200 latents. The number falls from layer to layer
without any training, since products of random matrices do that: set it beside the untrained network's. N: samples,
D: elements of an image, F: features of a layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from harness.builtin.metrics.spaces import points
from harness.contracts import as_float
from harness.errors import EvaluationError
from harness.evaluation import Bench, Evidence, Measurement, MetricContext, SetEvidence, Term, Value
from harness.randomness import derived_seed

#: a direction counts where its variance is above this share of the largest
SHARE = 0.01

#: latents that are sent through the layers, and how many at once
LAYER_LATENTS, LAYER_BLOCK = 51_200, 1024

#: samples that are looked at at most: a matrix of them all against each other is held where images have more elements
MOST = 10_000

#: columns that are converted to float64 at once
COLUMNS = 4096


def strong(variances: Tensor) -> int:
    """How many variances [K] are above SHARE of the largest; 0 where all are 0."""
    return int((variances > SHARE * variances.max()).sum())


def strong_term() -> Term:
    """For the protocol."""
    return Term("share_of_largest", SHARE, f"above{SHARE:g}max")


class Scatter:
    """Gathers the covariance of rows [B, D] block by block, in float64."""

    def __init__(self, near: Tensor) -> None:
        """:param near: a point [D] near the mean; moments about it keep their digits."""
        self._near = near.double()
        self._total = torch.zeros_like(self._near)
        self._squares = self._near.new_zeros(len(near), len(near))
        self._count = 0

    def add(self, rows: Tensor) -> None:
        """Take in a block."""
        away = rows.double() - self._near
        self._total += away.sum(0)
        self._squares += away.T @ away
        self._count += len(rows)

    def variances(self) -> Tensor:
        """Along the principal axes, largest first: [D]."""
        centred = self._squares - torch.outer(self._total, self._total) / self._count
        return _eigenvalues(centred / (self._count - 1))


def principal_variances(blocks: Iterable[Tensor], count: int) -> Tensor:
    """Rows [count, D] in blocks to the variances along their principal axes, largest first: float64 [min(count, D)].

    From the covariance [D, D] where there are more rows than columns, without holding the rows; else from the Gram
    matrix of the centred rows [count, count], which has the same eigenvalues but for zeros.

    :raises EvaluationError: where a value is not finite, or there are fewer than 2 rows.
    """
    if count < 2:
        raise EvaluationError(f"principal axes need at least 2 samples, not {count}")
    flat = (_finite(block.flatten(1)) for block in blocks)
    first = next(flat)
    rows = chain([first], flat)
    if count <= first.shape[1]:
        return _eigenvalues(centred_gram(torch.cat(list(rows))) / (count - 1))
    scatter = Scatter(first.double().mean(0))
    for block in rows:
        scatter.add(block)
    return scatter.variances()


def centred_gram(rows: Tensor) -> Tensor:
    """Rows [N, D] to the inner products [N, N] of what is left without their mean, in float64."""
    gram = rows.new_zeros(len(rows), len(rows), dtype=torch.float64)
    for columns in rows.split(COLUMNS, dim=1):
        away = columns.double() - columns.double().mean(0)
        gram += away @ away.T
    return gram


def _eigenvalues(symmetric: Tensor) -> Tensor:
    found: Tensor = torch.linalg.eigvalsh(symmetric).flip(0).clamp(min=0).cpu()
    return found


def _finite(rows: Tensor) -> Tensor:
    if not bool(torch.isfinite(rows).all()):
        raise EvaluationError("samples or features with NaN or infinite values have no principal axes")
    return rows


@dataclass(frozen=True)
class ImageVariances(Evidence[Tensor]):
    """Variances of a set's images, as floats in [-1, 1], along their principal axes: float64 [K]."""

    of: SetEvidence[Any]

    def size(self) -> int:
        return self.of.items()

    def make(self, bench: Bench) -> Tensor:
        with closing(bench.blocks(self.of)) as blocks, torch.no_grad():
            return principal_variances((as_float(block) for block in blocks), self.of.items())


@dataclass(frozen=True)
class LayerVariances(Evidence[Mapping[str, Tensor]]):
    """Variances of each layer's features along their principal axes, float64 [F], over latents from the prior."""

    count: int = LAYER_LATENTS

    def make(self, bench: Bench) -> Mapping[str, Tensor]:
        found: dict[str, Scatter] = {}
        with bench.asking():
            for name, features in self._features(bench):
                if name not in found:
                    found[name] = Scatter(features.double().mean(0))
                found[name].add(_finite(features))
        return {name: scatter.variances() for name, scatter in found.items()}

    def _features(self, bench: Bench) -> Iterator[tuple[str, Tensor]]:
        for start in range(0, self.count, LAYER_BLOCK):
            numbers = range(start, min(start + LAYER_BLOCK, self.count))
            noise_seed = derived_seed("layers", bench.seed, start)
            latents = points(bench, "z", "layers", numbers, noise_seed)
            yield from bench.trained.layers(latents, noise_seed).items()


def intrinsic_dimension(
    layer_latents: int = LAYER_LATENTS, *, generated: Tensor, layers: Mapping[str, Tensor] | None = None
) -> dict[str, Value]:
    """Variances along principal axes to the number of those that count; that of each layer beside it.

    :param layer_latents: latents that the layers' variances are over, for the details: the value does not hang on them.
    """
    of_layers = {f"dimension_{name}": float(strong(variances)) for name, variances in (layers or {}).items()}
    still = not bool(generated.any())
    if layers:
        of_layers["layer_latents"] = float(layer_latents)
    return {
        "intrinsic_dimension": Value(
            float(strong(generated)),
            remark="all images are the same: the generator has collapsed" if still else None,
            details={"of": float(len(generated)), **of_layers},
        )
    }


class IntrinsicDimension:
    """`intrinsic_dimension` of generated images, and of the features of each layer that the method shows."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        generated = context.generated(min(MOST, context.settings.neighbours_samples))
        evidence: dict[str, Evidence[Any]] = {"generated": ImageVariances(generated)}
        own = (strong_term(), Term("values", "floats in [-1, 1]", "float32"))
        if context.can("layers") and context.can("latents"):
            evidence["layers"] = LayerVariances()
        protocol = context.protocol("intrinsic_dimension", *own, generated=generated)
        return [Measurement(evidence, intrinsic_dimension, {"intrinsic_dimension": protocol}, {"generated": 2})]
