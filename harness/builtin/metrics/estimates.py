"""Estimates from independent draws: shares and means as values with their standard errors. N: draws."""

from __future__ import annotations

from torch import Tensor

from harness.evaluation import Value


def share_of(members: Tensor, *, percent: bool = False) -> Value:
    """Members bool [N] to their share, with the standard error of a binomial share, sqrt(p (1 - p) / N).

    :param percent: whether both are given in percent, from 0 to 100, and not from 0 to 1.
    """
    share = float(members.double().mean())
    error = (share * (1.0 - share) / len(members)) ** 0.5
    times = 100.0 if percent else 1.0
    return Value(times * share, std_error=times * error, std_error_of="sampling")


def mean_of(draws: Tensor, varying: str = "sampling") -> Value:
    """Draws [N] to their mean with its :func:`standard_error`; a single draw has a mean without an error.

    :param varying: what the draws differ in, for `std_error_of`.
    """
    error = standard_error(draws)
    mean = float(draws.double().mean())
    return Value(mean, std_error=error, std_error_of=None if error is None else varying)


def standard_error(draws: Tensor) -> float | None:
    """Standard error of the mean of draws [N], std / sqrt(N), the std with division by N - 1; None for one draw."""
    return float(draws.double().std(correction=1)) / len(draws) ** 0.5 if len(draws) > 1 else None
