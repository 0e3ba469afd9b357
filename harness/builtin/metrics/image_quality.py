"""How well a method rebuilds images: PSNR and SSIM of each image, averaged over images.

Real images show what encoder and generator keep of data; the method's own samples show how well the encoder inverts the
generator. Images are floats in [-1, 1], clipped there and not rounded to 8 bits. N: images, B: images of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.builtin.metrics.estimates import mean_of
from harness.builtin.metrics.structural_similarity import K1, K2, SIGMA, WINDOW, structural_similarity
from harness.errors import EvaluationError
from harness.evaluation import (
    Inapplicable,
    Measurement,
    MetricContext,
    Pair,
    Protocol,
    Reconstruction,
    SetEvidence,
    Term,
    Value,
)

#: distance of the largest pixel value from the smallest
RANGE = 2.0

#: what the numbers have in common, for the protocol
_IMAGES = (
    Term("range", RANGE, f"range{RANGE:g}"),
    Term("quantise", "none", "float"),
    Term("clip", "images and reconstructions to [-1, 1]", "clipped"),
    Term("average", "over images, of each image's value", "per-image"),
)


def psnr_of_pair(pair: Pair) -> Tensor:
    """Peak signal-to-noise ratio of each image, 10 log10(RANGE^2 / MSE) in decibels: float64 [B], inf where MSE = 0."""
    error = (pair.images.double() - pair.rebuilt.double()).flatten(1).square().mean(1)
    return 10.0 * torch.log10(RANGE**2 / error)


def ssim_of_pair(pair: Pair) -> Tensor:
    """Structural similarity of each image: float64 [B]."""
    return structural_similarity(pair.images, pair.rebuilt, RANGE)


def scores_for(shape: Sequence[int]) -> dict[str, Callable[[Pair], Tensor]]:
    """What is computed of images [C, H, W] in one pass: PSNR, and SSIM unless they are smaller than its window."""
    scores: dict[str, Callable[[Pair], Tensor]] = {"psnr": psnr_of_pair}
    return scores if min(shape[-2:]) < WINDOW else {**scores, "ssim": ssim_of_pair}


def mean_score(name: str, column: int, *, rebuilt: Tensor) -> dict[str, Value]:
    """Mean of one column of scores [N, K] over images.

    Its standard error is over draws of the images that are rebuilt, held-out real ones or samples, the method fixed:
    of real images it says how far another test set would move the value, and nothing about another training.

    Images that are rebuilt to the last bit have an infinite PSNR; they are left out and counted in a remark.

    :param name: key of the value, "psnr" or "ssim".
    :raises EvaluationError: where a score is NaN, or all are infinite.
    """
    scores = rebuilt[:, column]
    if bool(scores.isnan().any()):
        raise EvaluationError(f"{name}: reconstructions of {int(scores.isnan().sum())} images hold NaN")
    finite = scores[scores.isfinite()]
    same = len(scores) - len(finite)
    if len(finite) == 0:
        raise EvaluationError(f"{name}: all of {same} images are rebuilt to the last bit, so that none has a value")
    remark = f"{same} of {len(scores)} images are rebuilt to the last bit and left out" if same else None
    details = {"std_over_images": float(finite.std())} if len(finite) > 1 else {}
    return {name: replace(mean_of(finite), remark=remark, details=details)}


def _measurements(context: MetricContext, name: str, *own: Term) -> list[Measurement]:
    """For real images and, where the method samples, for its own."""
    real = context.real(split=context.held_out())
    scores = scores_for(context.dataset.finite(real.split).values.shape[1:])
    compute = partial(mean_score, name, list(scores).index(name))

    def of(images: SetEvidence[Any], protocol: Protocol) -> Measurement:
        return Measurement({"rebuilt": Reconstruction(images, tuple(scores.values()))}, compute, {name: protocol})

    terms = (*own, *_IMAGES)
    found = [of(real, context.protocol(name, Term("of", "real", "real"), *terms, real=real))]
    if context.can("sample"):
        samples = context.generated()
        found.append(
            of(samples, context.protocol(name, Term("of", "generated", "generated"), *terms, generated=samples))
        )
    return found


class PeakSignalToNoise:
    """`psnr` of reconstructions of held-out real images, and of the method's own samples."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        return _measurements(context, "psnr")


class StructuralSimilarity:
    """`ssim` of the same reconstructions; they are made once for both numbers."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        shape = context.dataset.finite(context.held_out()).values.shape[1:]
        if "ssim" not in scores_for(shape):
            size = "x".join(map(str, shape[-2:]))
            raise Inapplicable(f"images of {size} pixels are smaller than the window of {WINDOW} pixels a side")
        window = Term("window", f"Gaussian, {WINDOW} pixels a side, sigma {SIGMA:g}", f"gauss{WINDOW}s{SIGMA:g}")
        constants = Term("constants", f"K1 = {K1:g}, K2 = {K2:g}", f"k{K1:g}/{K2:g}")
        border = Term("border", "windows inside the image only", "valid")
        return _measurements(context, "ssim", window, constants, border)
