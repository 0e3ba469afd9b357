"""Points against the mixture of Gaussians that they should follow: recovered modes, high-quality share, reverse KL.

As in Lin et al. 2018 and Liu et al. 2020 (the self-conditioned GAN): a point is good when it lies within three standard
deviations of some mode, and a mode is recovered when it holds a good point. N: points, K: modes, D: axes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from harness import Samples
from harness.builtin.metrics.divergence import UNITS, in_units, unit_term
from harness.builtin.metrics.estimates import share_of
from harness.contracts import Modes
from harness.errors import EvaluationError
from harness.evaluation import Evidence, Inapplicable, KnownModes, Measurement, MetricContext, Protocol, Term, Value

#: standard deviations that a good point is from its mode at most
REACH = 3.0

#: box: every axis within reach by itself; disc: the Euclidean distance within reach
Region = Literal["box", "disc"]

#: points that are held against all modes at once
ROWS = 8192


def near_modes(points: Tensor, means: Tensor, std: float, region: Region) -> Tensor:
    """Points [N, D] and means [K, D] to bool [N, K]: whether a point is strictly within REACH of a mode."""
    away = (points.double()[:, None] - means).abs()  # [N, K, D]
    farthest = away.amax(2) if region == "box" else away.square().sum(2).sqrt()
    return farthest < REACH * std


def nearest_mode(points: Tensor, means: Tensor) -> Tensor:
    """Points [N, D] and means [K, D] to the number of the nearest mode [N]; the first of equals."""
    return (points.double()[:, None] - means).square().sum(2).argmin(1)


def recovered_and_good(region: Region, *, generated: Samples, modes: Modes) -> dict[str, Value]:
    """How many modes hold a good point, and what percentage of the points is good.

    The standard error of the percentage is that of a binomial share.
    """
    points, means = _checked(generated.images, modes)
    held = torch.zeros(len(means), dtype=torch.bool)
    good = []
    for part in points.split(ROWS):
        near = near_modes(part, means, modes.std, region)
        held |= near.any(0)
        good.append(near.any(1))
    modes_held = Value(float(held.sum()), details={"of": float(len(means))})
    return {"modes": modes_held, "high_quality_pct": share_of(torch.cat(good), percent=True)}


def divergence_from_law(*, generated: Samples, modes: Modes) -> dict[str, Value]:
    """The reverse KL divergence of the shares of points at each mode from the weights of the law, in nats and log10.

    Every point, good or bad, counts for its nearest mode.
    """
    points, means = _checked(generated.images, modes)
    counts = torch.zeros(len(means), dtype=torch.int64)
    for part in points.split(ROWS):
        counts += torch.bincount(nearest_mode(part, means), minlength=len(means))
    return in_units(counts, torch.from_numpy(modes.weights))


def _checked(points: Tensor, modes: Modes) -> tuple[Tensor, Tensor]:
    means = torch.from_numpy(modes.means).double()
    if points.ndim != 2 or points.shape[1] != means.shape[1]:
        given = "x".join(map(str, points.shape))
        raise EvaluationError(f"samples of shape {given} cannot be held against modes of {means.shape[1]} axes")
    if len(points) == 0:
        raise EvaluationError("mode metrics need at least 1 sample, not 0")
    return points, means


class Mixture:
    """`modes` and `high_quality_pct` (box, and disc as another protocol) and `reverse_kl` (nats and log10)."""

    def measurements(self, context: MetricContext) -> Sequence[Measurement]:
        modes = context.dataset.modes()
        if modes is None:
            raise Inapplicable(f"data set '{context.dataset.name}' has no known modes")
        generated = context.generated()
        evidence: dict[str, Evidence[Any]] = {"generated": generated, "modes": KnownModes()}
        law = Term("modes_checksum", modes_checksum(modes))

        def protocol(metric: str, *own: Term) -> Protocol:
            return context.protocol(metric, law, *own, generated=generated)

        regions: tuple[Region, ...] = ("box", "disc")
        found = []
        for region in regions:
            reach = Term("region", region, f"{region}{REACH:g}std")
            protocols = {name: protocol(name, reach) for name in ("modes", "high_quality_pct")}
            found.append(Measurement(evidence, partial(recovered_and_good, region), protocols))
        nearest = Term("assignment", "nearest mode", "nearest")
        protocols = {f"reverse_kl_{unit}": protocol("reverse_kl", unit_term(unit), nearest) for unit in UNITS}
        found.append(Measurement(evidence, divergence_from_law, protocols))
        return found


def modes_checksum(modes: Modes) -> str:
    """SHA-256 of means, spread and weights."""
    digest = hashlib.sha256(f"{modes.means.shape}{modes.std!r}".encode())
    digest.update(modes.means.astype("<f8").tobytes())
    digest.update(modes.weights.astype("<f8").tobytes())
    return digest.hexdigest()
