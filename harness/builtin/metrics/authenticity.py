"""Authenticity (Alaa et al. 2022): the share of samples that are no copies of training images.

A sample is authentic when it is farther from the training image nearest to it than that image is from its own nearest
other training image. Even independent images of the same law are authentic only in part, about half of them; so images
that were held out are looked at in the same way, and theirs is the share that a generator that copies nothing has.
M: samples, T: held out, N: training images, d: features.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from harness.builtin.metrics.estimates import share_of
from harness.builtin.metrics.nearest import Nearest, nearest
from harness.builtin.metrics.neighbour_figure import neighbour_figure
from harness.data import Split
from harness.evaluation import Value, order_of

#: nearest training images that are shown beside a sample
SHOWN = 5

#: standard errors below the share of held-out images that samples must be for the alarm
ALARM = 3.0


def authentic(to_training: Nearest, training: Tensor) -> Tensor:
    """Whether each of M points is authentic, bool [M].

    :param to_training: their nearest training images.
    :param training: features [N, d].
    """
    owners, place = to_training.which[:, 0].unique(return_inverse=True)
    of_owners = nearest(training[owners], training, 1, leaving_out=owners)
    return to_training.squared[:, 0] > of_owners.squared[place, 0]


def authenticity(
    figure: str, *, generated: Tensor, training: Tensor, held_out: Tensor, pictures: Tensor, training_images: Split
) -> dict[str, Value]:
    """Features [M, d], [N, d] and [T, d] to the percentage of authentic samples, with its binomial error.

    :param figure: name of the picture of samples beside the training images nearest to them.
    :param pictures: the first few samples, uint8 [S, C, H, W].
    :param training_images: all of them in stored order; `training` are features of the first N in that of
        :func:`order_of`.
    """
    shown = min(SHOWN, len(training))
    found = nearest(generated, training, shown)
    samples = share_of(authentic(found, training), percent=True)
    fair = share_of(authentic(nearest(held_out, training, 1), training), percent=True)
    order = order_of(len(training_images))
    beside = training_images.values[order[found.which[: len(pictures)].numpy()]]  # [S, K, C, H, W]
    value = replace(
        samples,
        remark=_remark(samples, fair),
        details={"held_out_pct": fair.value},
        figures={figure: neighbour_figure(pictures, torch.from_numpy(beside))},
    )
    return {"authenticity_pct": value}


def _remark(samples: Value, fair: Value) -> str | None:
    """What to say where samples are authentic clearly less often than held-out images."""
    assert samples.std_error is not None
    assert fair.std_error is not None
    if samples.value >= fair.value - ALARM * math.hypot(samples.std_error, fair.std_error):
        return None
    return (
        f"samples lie nearer to training images than held-out images do, of which {fair.value:.1f} % are authentic: "
        "they are copies, or smoother than real images"
    )
