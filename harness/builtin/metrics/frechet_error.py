"""How far a Fréchet distance would move if the generated images were drawn again: the delta method.

The distance changes with the generated distribution as its influence function says, real side fixed:

    IF(x) = 2 (m_g - m_r) . (x - m_g) + (x - m_g)^T (I - A) (x - m_g) - tr ((I - A) S_g)

where A is the linear map that carries the generated Gaussian onto the real one at least cost (Dowson and Landau 1982;
derivative of the trace of the root). Its spread over the samples, divided by sqrt(N), is the standard error. It holds
where samples are many for their features; with fewer than 4 d the distance is dominated by its bias, and none is given.

What remains: the fitted Gaussian is a little too far from the real one, and the influence too large with it. Redrawn
normal and skewed samples of 8 to 128 features show the error too large by up to a fifth from N = 4 d on where the
distance is well above its bias. Where bias is most of it, as of a generator near the real law, the true influence goes
to zero and the error is too large by 1.2 to 1.6, at any N: an upper bound then. N: samples, d: features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.builtin.metrics.congruence import congruence
from harness.builtin.metrics.estimates import standard_error
from harness.evaluation import Gaussian

#: share of a feature's variance that the features before it must leave over, for the covariance to have full rank
OWN_VARIANCE = 1e-10

#: samples for each feature that varies, below which there is no error
LEAST_SAMPLES = 4

#: features beyond which the map would cost far more than the distance itself
MOST_FEATURES = 4096

#: rows that are converted to float64 at once
ROWS = 4096


def sampling_error(features: Tensor, generated: Gaussian, real: Gaussian) -> float | None:
    """Standard error of the distance over draws of the generated images.

    :param features: [N, d], what `generated` was fitted to.
    :returns: None where N < 4 d, the real side has no more than d images, the generated covariance is singular, or d is
        beyond MOST_FEATURES; constant features do not count in 4 d.
    """
    size, count = len(generated.mean), len(features)
    if (
        size > MOST_FEATURES
        or count <= size
        or real.covariance is None
        or (real.count is not None and real.count <= size)
    ):
        return None
    assert generated.covariance is not None
    live = generated.covariance.diagonal() > 0  # a constant feature stays the same in any draw
    if count < LEAST_SAMPLES * int(live.sum()):
        return None
    covariance = generated.covariance[live][:, live]
    move = transport(covariance, real.covariance[live][:, live])
    if move is None:
        return None
    weights = torch.eye(len(move), dtype=move.dtype, device=move.device) - move  # I - A
    gap, mean = (generated.mean - real.mean)[live], generated.mean[live]
    influence = []
    for rows in features.split(ROWS):
        centred = rows[:, live].double() - mean  # [rows, d]
        influence.append(2.0 * centred @ gap + ((centred @ weights) * centred).sum(1))
    # the trace is a constant, and a spread does not see it
    return standard_error(torch.cat(influence))


def transport(generated: Tensor, real: Tensor) -> Tensor | None:
    """A [d, d], symmetric, with A S_g A = S_r, for covariances [d, d]; None where S_g is singular.

    With S_g = L L^T it is L^-T (L^T S_r L)^(1/2) L^-1.
    """
    lower, failed = torch.linalg.cholesky_ex(generated)
    if bool(failed) or bool((lower.diagonal().square() < OWN_VARIANCE * generated.diagonal()).any()):
        return None
    values, vectors = torch.linalg.eigh(congruence(lower, real))
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    half = torch.linalg.solve_triangular(lower.T, root, upper=True)  # L^-T R
    found: Tensor | None = torch.linalg.solve_triangular(lower.T, half.T, upper=True)
    return found
