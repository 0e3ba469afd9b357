"""Rank of the generator's Jacobian: how many directions of z an image really answers to (Feng et al. 2021, supplement).

A direction counts where its variance, the square of a singular value, is above 1 % of the largest square. Layers that a
method shows are looked at in the same way, activations included. Most of the fall from layer to layer is a property of
random initialisation, not of training: an untrained mapping network of eight 512-wide layers with leaky ReLU has ranks
of about 327, 224, 175, 141, 119, 102, 92 and 81. Always set a number beside the untrained network's.

d: latent elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from harness.builtin.metrics.dimension import strong, strong_term
from harness.builtin.metrics.estimates import mean_of
from harness.builtin.metrics.jacobian import Outputs, jacobians, squared_singular_values
from harness.builtin.metrics.spaces import images_at, made_terms, points, steady_batch_norm
from harness.errors import EvaluationError
from harness.evaluation import (
    BatchNormMode,
    Bench,
    Evidence,
    Measurement,
    MetricContext,
    Protocol,
    Term,
    Value,
    sampling_mode,
)
from harness.randomness import derived_seed

#: latents that Jacobians are taken at
LATENTS = 16


class Spectra(NamedTuple):
    """Squared singular values of Jacobians at some latents, largest first.

    :ivar images: of the generator, float64 [latents, K].
    :ivar layers: of each of its first layers, by name; empty where the method does not show them.
    """

    images: Tensor
    layers: Mapping[str, Tensor]


@dataclass(frozen=True)
class JacobianSpectra(Evidence[Spectra]):
    """Spectra of the Jacobians at `count` latents, for one image at a time.

    :param layers: whether those of the first layers are wanted too.
    :param block: samples at once where batch norm gathers standing statistics.
    """

    count: int
    layers: bool
    block: int
    batch_norm: BatchNormMode

    def size(self) -> int:
        return self.count

    def make(self, bench: Bench) -> Spectra:
        with sampling_mode(bench.trained, seed=bench.seed, block=self.block, batch_norm=self.batch_norm):
            images = [self._of_images(bench, number) for number in range(self.count)]
            layers = [self._of_layers(bench, number) for number in range(self.count if self.layers else 0)]
        names = layers[0] if layers else ()
        return Spectra(torch.stack(images), {name: torch.stack([each[name] for each in layers]) for name in names})

    def _of_images(self, bench: Bench, number: int) -> Tensor:
        noise_seed = _noise_seed(bench, number)
        return _spectra(bench, number, lambda z: {"images": images_at(bench.trained, "z", z, noise_seed)})["images"]

    def _of_layers(self, bench: Bench, number: int) -> dict[str, Tensor]:
        noise_seed = _noise_seed(bench, number)
        return _spectra(bench, number, lambda z: bench.trained.layers(z, noise_seed))


def _noise_seed(bench: Bench, number: int) -> int:
    return derived_seed("jacobian", bench.seed, number)


def _spectra(bench: Bench, number: int, outputs: Outputs) -> dict[str, Tensor]:
    found = jacobians(outputs, points(bench, "z", "jacobian", [number], _noise_seed(bench, number)).detach())
    for name, jacobian in found.items():
        if not bool(torch.isfinite(jacobian).all()):
            raise EvaluationError(f"the Jacobian of {name} has NaN or infinite values at latent {number}")
    return {name: squared_singular_values(jacobian) for name, jacobian in found.items()}


def jacobian_rank(*, latents: Spectra) -> dict[str, Value]:
    """Mean rank over the latents; that of each layer beside it."""
    ranks = _ranks(latents.images)
    layers = {f"rank_{name}": float(_ranks(squares).mean()) for name, squares in latents.layers.items()}
    still = "the Jacobian is 0: images do not hang on latents, or the method's `generate` cuts the gradient"
    return {
        "jacobian_rank": replace(
            mean_of(ranks, "latents"),
            remark=None if bool(latents.images.any()) else still,
            details={"of": float(latents.images.shape[1]), **layers},
        )
    }


def _ranks(squares: Tensor) -> Tensor:
    return torch.tensor([strong(row) for row in squares], dtype=torch.float64)


class JacobianRank:
    """`jacobian_rank` in z, and of each layer that the method shows."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        batch_norm = steady_batch_norm(context)
        spectra = JacobianSpectra(LATENTS, context.can("layers"), context.settings.block, batch_norm)
        own = (Term("space", "z", "z"), strong_term(), Term("latents", LATENTS, f"{LATENTS}latents"))
        gathered = (Term("standing_block", spectra.block, f"standing{spectra.block}"),)  # blocks of the statistics
        made = (*made_terms(1, batch_norm), *(gathered if batch_norm == "standing" else ()))
        protocol = Protocol("jacobian_rank", (*own, *made))
        return [Measurement({"latents": spectra}, jacobian_rank, {"jacobian_rank": protocol})]
