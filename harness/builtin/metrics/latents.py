"""What an encoder makes of latents (Cho 2025): the entropy of scaled latents, and the loss of latents found again.

A generator with a learned scale s is fed z * s, and its encoder finds the unscaled z. N: samples, d: latent dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.builtin.metrics.estimates import mean_of
from harness.contracts import ScaledLatents
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Evidence,
    GeneratedSet,
    Inapplicable,
    Measurement,
    MetricContext,
    OfSet,
    Pair,
    Protocol,
    Term,
    Value,
    pairs,
)

#: entropy of a standard normal variable, nats
NORMAL_ENTROPY = 0.5 * math.log(2.0 * math.pi * math.e)


@dataclass(frozen=True)
class LatentScale(Evidence[Tensor]):
    """The scale of each latent dimension, float64 [d]."""

    def make(self, bench: Bench) -> Tensor:
        with bench.asking():
            scale: Tensor = bench.trained.latent_scale()
        if scale.ndim != 1 or not bool(torch.isfinite(scale).all() and (scale > 0).all()):
            raise EvaluationError("a latent scale is one finite, positive number for each latent dimension")
        return scale.detach().double().cpu()


def latent_entropy(*, scale: Tensor) -> dict[str, Value]:
    """Scale [d] to the entropy of z * s for standard normal z: sum over i of log(s_i sqrt(2 pi e)), nats.

    It is largest at s = 1 among all scales whose squares have a mean of 1, and it may be negative.
    """
    entropy = float((scale.double().log() + NORMAL_ENTROPY).sum())
    details = {"maximum": len(scale) * NORMAL_ENTROPY, "dimensions": float(len(scale))}
    return {"latent_entropy": Value(entropy, details=details)}


class LatentEntropy:
    """`latent_entropy` of a learned scale."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        law = Term("law", "standard normal times scale", "normal")
        protocol = Protocol("latent_entropy", (law, Term("unit", "nats", "nats")))
        return [Measurement({"scale": LatentScale()}, latent_entropy, {"latent_entropy": protocol})]


def encoder_errors(pair: Pair, scale: Tensor | None = None) -> Tensor:
    """Mean over latent dimensions of ((z - E(G(z))) * s)^2 for each sample: float64 [B].

    :param scale: s [d]; None for 1.
    :raises EvaluationError: where the latents that were fed are not known, or of another shape than those found.
    """
    given, found = pair.given, pair.found
    if given is None or given.shape != found.shape or (scale is not None and len(scale) != found.shape[-1]):
        shapes = [None if latents is None else tuple(latents.shape[1:]) for latents in (given, found, scale)]
        raise EvaluationError(
            f"latents fed have shape {shapes[0]}, those found {shapes[1]}"
            + (f", and the scale has {len(scale)} dimensions" if scale is not None else ""),
            "return the latents that `sample` fed and that `reconstruct` found in the same form",
        )
    away = given.double().to(found.device) - found.double()
    return (away if scale is None else away * scale.to(away)).square().flatten(1).mean(1)


@dataclass(frozen=True)
class EncoderErrors(OfSet[Tensor]):
    """Error of the latents found for each of a method's own samples, float64 [N]; no image is stored.

    The encoder is shown images as the generator makes them, not clipped: latents of a clipped one are another matter.
    """

    of: GeneratedSet

    def needs(self, bench: Bench) -> Sequence[Evidence[Tensor]]:
        return [LatentScale()] if isinstance(bench.trained, ScaledLatents) else []

    def make(self, bench: Bench) -> Tensor:
        scales = [bench.get(scale) for scale in self.needs(bench)]
        with closing(pairs(bench, self.of, clip=False)) as blocks:
            return torch.cat([encoder_errors(pair, *scales).cpu() for pair in blocks])


def encoder_loss(*, generated: Tensor) -> dict[str, Value]:
    """Errors [N] to their mean."""
    return {"encoder_loss": mean_of(generated)}


class EncoderLoss:
    """`encoder_loss` of a method that samples and reconstructs; the scale is applied where there is one."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        context.require("sample")
        generated = context.generated()
        if not isinstance(generated, GeneratedSet):
            raise Inapplicable("it is about the latents of a method's own samples")
        scaled = context.can("latent_scale")
        own = (
            Term("scaled", scaled, "scaled" if scaled else "unscaled"),
            Term("quantise", "none", "float32"),
            Term("clip", "none", "unclipped"),
        )
        protocol = context.protocol("encoder_loss", *own, generated=generated)
        evidence = {"generated": EncoderErrors(generated)}
        return [Measurement(evidence, encoder_loss, {"encoder_loss": protocol}, {"generated": 2})]
