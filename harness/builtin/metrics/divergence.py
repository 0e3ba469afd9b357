"""How far the shares of samples at each mode are from what they should be: the reverse Kullback-Leibler divergence.

    KL(p || w) = sum_k p_k log(p_k / w_k)

from samples' shares p to the weights w, where a mode without samples contributes 0. Counts of N samples over K modes
overestimate it: of samples that follow w exactly they give (K - 1) / 2N nats on average (Miller 1955).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.evaluation import Term, Value

#: what a nat is, by unit
UNITS = {"nats": 1.0, "log10": math.log10(math.e)}


def reverse_kl(counts: Tensor, weights: Tensor) -> float:
    """Samples at each mode [K] and weights [K], which sum to 1, to the divergence in nats; not negative.

    A weight is positive wherever there are samples.
    """
    p = counts.double() / counts.sum()
    divergence = float((torch.special.xlogy(p, p) - torch.special.xlogy(p, weights.double())).sum())
    # rounding may leave a hair below zero where p equals w
    return max(divergence, 0.0)


def sampling_error(counts: Tensor, weights: Tensor) -> float:
    """Standard error of :func:`reverse_kl` over draws of the samples, in nats.

    The spread of log(p / w) over samples (the delta method), to which the second order is added, (K - 1) / 2 N^2 for K
    modes with samples: it is all that is left where p is near w and 2 N KL follows a chi-squared law.
    """
    hit = counts > 0
    n = float(counts.sum())
    p, w = counts[hit].double() / n, weights[hit].double()
    surprise = torch.log(p / w)
    first = float((p * (surprise - (p * surprise).sum()).square()).sum()) / n
    second = (int(hit.sum()) - 1) / (2.0 * n**2)
    return math.sqrt(first + second)


def in_units(counts: Tensor, weights: Tensor) -> dict[str, Value]:
    """The divergence as `reverse_kl_nats` and `reverse_kl_log10`, each with what a perfect generator would score."""
    divergence, error = reverse_kl(counts, weights), sampling_error(counts, weights)
    floor = (int((weights > 0).sum()) - 1) / (2.0 * float(counts.sum()))
    return {
        f"reverse_kl_{unit}": Value(divergence * nat, error * nat, "sampling", details={"floor": floor * nat})
        for unit, nat in UNITS.items()
    }


def unit_term(unit: str) -> Term:
    """For the protocol."""
    return Term("unit", unit, unit)
