"""Perceptual path length (Karras et al. 2019, eqs. 2 and 3): how far images move for a small step between two latents.

    mean over pairs of d(G(p(t)), G(p(t + e))) / e^2,    p a path from one random latent to another, e = 1e-4

d is a perceptual distance, squared by nature (Zhang et al. 2018). As in the authors' code, the smallest and the largest
percent of the distances are left out, and images are made smaller beyond 256 pixels and never larger. Measured are

- z, slerp, full paths, whole images: the authors' length in z;
- z, lerp, at the start of paths, whole and cropped: what suits a Gaussian z that is not normalised (Feng et al. 2021);
- w, lerp, full paths, whole images: the authors' first length in w;
- w, lerp, at the start of paths, whole and cropped: the authors' later default (Karras et al. 2020).

Lengths at different resolutions or crops cannot be compared, which is why the crop is a part of the protocol. N: pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from harness.builtin.metrics.estimates import mean_of
from harness.builtin.metrics.spaces import Space, Twins, points, spaces, steady_batch_norm, twins_noise, twins_terms
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Distance,
    Inapplicable,
    Measurement,
    MetricContext,
    Protocol,
    Term,
    Value,
    verified_weights,
    weights_sha256,
)
from harness.randomness import Seeds, derived_seed

Interpolation = Literal["lerp", "slerp"]
Sampling = Literal["full", "end"]
Crop = Literal["whole", "face"]

#: step along the path, whose whole length is 1
EPSILON = 1e-4

#: the perceptual distance, and the fewest pixels a side that its network takes: it halves an image four times
DISTANCE, SMALLEST = "lpips-vgg16", 16

#: pixels a side beyond which images are made smaller
LARGEST = 256

#: an arc between latents whose angle has a smaller sine is no arc
COLLINEAR = 1e-6


def lerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Points [B, ...] at the share t [B] of the straight way, in float64."""
    share = t.double().reshape(-1, *[1] * (start.ndim - 1))
    return start.double() + (end.double() - start.double()) * share


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Points [B, ...] at the share t [B] of the arc, in float64 (Shoemake 1985).

    The direction turns evenly, as in the authors' code; the length goes evenly from that of the start to that of the
    end, while the authors' latents, which their network normalises, all have length 1. Latents on one line have no arc,
    and are joined by the line.
    """
    a, b, share = start.double().flatten(1), end.double().flatten(1), t.double()[:, None]
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    a_unit, b_unit = a / length_a, b / length_b
    angle = (a_unit * b_unit).sum(1, keepdim=True).clamp(-1.0, 1.0).acos()  # [B, 1]
    sine = angle.sin()
    turned = (((1.0 - share) * angle).sin() * a_unit + (share * angle).sin() * b_unit) / sine
    arc = turned * (length_a + (length_b - length_a) * share)
    return torch.where(sine < COLLINEAR, lerp(a, b, t), arc).reshape(start.shape)


INTERPOLATIONS: Mapping[Interpolation, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"lerp": lerp, "slerp": slerp}


def looked_at(images: Tensor, crop: Crop) -> Tensor:
    """Images [B, C, H, W] as the distance sees them: cropped, made smaller beyond LARGEST, grey ones repeated.

    - ``face``: rows 3/8 to 7/8, columns 2/8 to 6/8, where faces are in aligned portraits.
    """
    if crop == "face":
        down, right = images.shape[2] // 8, images.shape[3] // 8
        images = images[:, :, 3 * down : 7 * down, 2 * right : 6 * right]
    factor = images.shape[2] // LARGEST
    if factor > 1:
        images = avg_pool2d(images, factor)
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


@dataclass(frozen=True)
class PathSteps(Twins):
    """Distances over squared steps along paths between random points, float64 [N, crops].

    :param sampling: ``full``: anywhere on the path; ``end``: at its start.
    :param crops: each is looked at by itself; the images are the same.
    """

    interpolation: Interpolation
    sampling: Sampling
    crops: tuple[Crop, ...]
    epsilon: float = EPSILON

    def ends(self, bench: Bench, numbers: range) -> tuple[Tensor, Tensor]:
        noise_seed = twins_noise(bench, numbers)
        start, end = (points(bench, self.space, f"path {which}", numbers, noise_seed) for which in ("start", "end"))
        t = torch.zeros(len(numbers), device=start.device, dtype=torch.float64)
        if self.sampling == "full":
            t += Seeds(derived_seed("path", bench.seed), numbers).uniform("share").to(start.device)
        between = INTERPOLATIONS[self.interpolation]
        return between(start, end, t).to(start.dtype), between(start, end, t + self.epsilon).to(start.dtype)

    def measured(self, bench: Bench, points: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor]) -> Tensor:
        network = cast(Distance, bench.extractor(DISTANCE))
        columns = []
        for crop in self.crops:
            sides = (looked_at(side, crop).to(bench.device).split(network.batch) for side in images)
            columns.append(torch.cat([network.distance(a, b).double() for a, b in zip(*sides, strict=True)]))
        return torch.stack(columns, dim=1) / self.epsilon**2


def path_lengths(crops: Sequence[Crop], *, pairs: Tensor) -> dict[str, Value]:
    """Steps [N, crops] to the mean of those between the 1st and the 99th percentile, by crop.

    The standard error is that of the mean over the pairs that are kept.
    """
    return {crop: _path_length(pairs[:, column].double()) for column, crop in enumerate(crops)}


def _path_length(steps: Tensor) -> Value:
    kept = trimmed(steps)
    still = not bool(steps.any())
    return replace(
        mean_of(kept),
        remark="no image moves at all: the generator has collapsed" if still else None,
        details={"kept": float(len(kept)), "mean_of_all": float(steps.mean())},
    )


def trimmed(steps: Tensor) -> Tensor:
    """Steps [N] without those below the 1st or above the 99th percentile; these two, which are steps, are kept."""
    lowest = np.percentile(steps.numpy(), 1, method="lower")
    highest = np.percentile(steps.numpy(), 99, method="higher")
    return steps[(steps >= lowest) & (steps <= highest)]


#: space, interpolation, sampling, crops
VARIANTS: Sequence[tuple[Space, Interpolation, Sampling, tuple[Crop, ...]]] = (
    ("z", "slerp", "full", ("whole",)),
    ("z", "lerp", "end", ("whole", "face")),
    ("w", "lerp", "full", ("whole",)),
    ("w", "lerp", "end", ("whole", "face")),
)


class PathLength:
    """`ppl` in every space that there is; the two images of a pair share noise and conditions."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        channels, *sides = context.dataset.problem().shape
        if channels not in (1, 3) or min(sides) < SMALLEST:
            shape = "x".join(map(str, (channels, *sides)))
            raise Inapplicable(f"'{DISTANCE}' takes 1 or 3 channels and at least {SMALLEST} pixels a side, not {shape}")
        if context.settings.pairs < 2:
            raise EvaluationError("a path length needs at least 2 pairs, not 1", "raise --set evaluation.pairs")
        batch_norm = steady_batch_norm(context)
        verified_weights(context.spec(DISTANCE))  # hours of training come before the network is opened
        found = []
        for space, interpolation, sampling, crops in VARIANTS:
            if space in spaces(context):
                # half of an image is left in a crop
                seen = tuple(crop for crop in crops if crop == "whole" or min(sides) >= 2 * SMALLEST)
                made = (space, context.settings.pairs, context.settings.block, batch_norm)
                found.append(_measurement(context, PathSteps(*made, interpolation, sampling, seen), channels))
        return found


def _measurement(context: MetricContext, steps: PathSteps, channels: int) -> Measurement:
    protocols: dict[str, Protocol] = {crop: _protocol(context, steps, crop, channels) for crop in steps.crops}
    return Measurement({"pairs": steps}, partial(path_lengths, steps.crops), protocols)


def _protocol(context: MetricContext, steps: PathSteps, crop: Crop, channels: int) -> Protocol:
    own = (
        Term("extractor", DISTANCE, DISTANCE),
        Term("extractor_sha256", weights_sha256(context.spec(DISTANCE))),
        Term("resize", f"shrink beyond {LARGEST}", f"shrink{LARGEST}"),
        Term("channels", "grey repeated" if channels == 1 else "colour", "grey3" if channels == 1 else None),
        Term("space", steps.space, steps.space),
        Term("interpolation", steps.interpolation, steps.interpolation),
        Term("sampling", steps.sampling, steps.sampling),
        Term("crop", crop, crop),
        Term("epsilon", steps.epsilon, f"eps{steps.epsilon:g}"),
        Term("kept", "percentiles 1 to 99", "p1-p99"),
    )
    return Protocol("ppl", (*own, *twins_terms(steps)))
