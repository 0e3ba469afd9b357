"""Walking down the guide: whether every start arrives in the partition it is told, or some stop on the way.

Theorem 3 of Armandpour et al. (2021) says that R_i has no local minimum outside of partition i where the logits are
linear in an expanding map of x. A generator follows R_i downhill, and so do these walks, without a discriminator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from harness_pgmgan.guide import guide

#: points [N, D] to logits [N, k]; it must not change from call to call, which for a network means eval mode
Logits = Callable[[Tensor], Tensor]


class Slope(NamedTuple):
    """R_i where some points are.

    :ivar distance: R_i, float [N], 0 inside partition i.
    :ivar gradient: of R_i with respect to the points, float [N, D].
    """

    distance: Tensor
    gradient: Tensor


def slope(logits_of: Logits, points: Tensor, partition: Tensor) -> Slope:
    """R_i of Eq. (6), as the mean over partitions, and its gradient.

    :param points: float [N, D].
    :param partition: i of each point, int64 [N].
    """
    points = points.detach().requires_grad_()
    with torch.enable_grad():
        distance = guide(logits_of(points), partition)
        (gradient,) = torch.autograd.grad(distance.sum(), points)
    return Slope(distance.detach(), gradient)


class Descent(NamedTuple):
    """Where walks ended.

    :ivar ends: points, float [N, D].
    :ivar reached: whether R_i is 0 there, bool [N].
    """

    ends: Tensor
    reached: Tensor


def step_length(step: int, steps: int, budget: float) -> float:
    """Length of step 0 to `steps` - 1: falls along a straight line towards 0, and all add up to `budget`."""
    return 2.0 * budget / steps * (1.0 - (step + 0.5) / steps)


def descend(
    logits_of: Logits, starts: Tensor, partition: Tensor, *, steps: int = 1500, budget: float = 60.0
) -> Descent:
    """Follow the normalised negative gradient of R_i from each start until R_i is 0 or the path is used up.

    The gradient is not smooth where logits meet, so a walk along a valley zigzags and gets ahead by less than its path
    is long: a walk that did not arrive shows a false bottom only if a longer one ends in the same place.

    :param starts: float [N, D].
    :param partition: i of each start, int64 [N].
    :param budget: length of a whole path, in the points' units.
    """
    ends = starts.detach().clone()
    under_way = torch.arange(len(ends), device=ends.device)  # a walk that arrived costs nothing more
    tiny = torch.finfo(ends.dtype).tiny
    for step in range(steps + 1):
        distance, gradient = slope(logits_of, ends[under_way], partition[under_way])
        outside = distance > 0
        under_way, gradient = under_way[outside], gradient[outside]
        if step == steps or len(under_way) == 0:
            break
        length = torch.linalg.vector_norm(gradient, dim=1, keepdim=True).clamp_min(tiny)
        ends[under_way] -= step_length(step, steps, budget) * gradient / length
    reached = torch.ones(len(ends), dtype=torch.bool, device=ends.device)
    reached[under_way] = False
    return Descent(ends, reached)


def lowest_around(logits_of: Logits, points: Tensor, partition: Tensor, radius: float, directions: int = 64) -> Tensor:
    """Smallest R_i on a circle around each point in the plane.

    Where it is above R_i at the point itself, a local minimum of R_i lies within the circle (up to what is hidden
    between two directions), whatever the gradient at the point says.

    :param points: float [N, 2].
    :param partition: i of each point, int64 [N].
    :returns: float [N].
    """
    angle = 2.0 * math.pi * torch.arange(directions, device=points.device) / directions
    circle = radius * torch.stack([angle.cos(), angle.sin()], 1).to(points.dtype)  # [directions, 2]
    with torch.no_grad():
        around = (points[:, None] + circle).flatten(0, 1)
        distance = guide(logits_of(around), partition.repeat_interleave(directions))
    return distance.view(len(points), directions).amin(1)
