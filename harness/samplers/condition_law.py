"""What a generator is told when nobody says: the law of its conditions, and which ones it can be asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.randomness import Seeds


class ConditionLaw:
    """Conditions of numbered samples. Those of sample i are fixed by (run seed, i).

    :param n_conditions: how many there are; 0 where a generator is told nothing.
    :param n_labels: labels that each sample is told at once, each below `n_conditions`.
    :param prior: weights, not negative and of no label all 0: float [n_conditions], or [n_labels, n_conditions] where a
        sample has several labels, which are then drawn independently. Read at every draw, so that it may change in
        place. None: uniform.
    :raises ValueError: where the prior has another shape.
    """

    def __init__(self, n_conditions: int, n_labels: int = 1, prior: Tensor | None = None) -> None:
        self.n_conditions = n_conditions
        self.n_labels = n_labels
        self.prior = prior
        wanted = (n_conditions,) if n_labels == 1 else (n_labels, n_conditions)
        if prior is not None and prior.shape != wanted:
            raise ValueError(f"a prior of {wanted} conditions is needed, not of shape {tuple(prior.shape)}")

    def draw(self, seeds: Seeds) -> Tensor | None:
        """Conditions of the samples on the CPU, int64 [N], or [N, n_labels]; None where nothing is told."""
        if self.n_conditions == 0:
            return None
        if self.n_labels == 1 and self.prior is None:
            return seeds.integers("condition", self.n_conditions)
        if self.n_labels == 1:
            assert self.prior is not None
            return by_inverse(self.prior.cpu(), seeds.uniform("condition"))
        prior = torch.ones(self.n_labels, self.n_conditions) if self.prior is None else self.prior.cpu()
        uniform = seeds.uniform("condition", self.n_labels)
        return torch.stack([by_inverse(*pair) for pair in zip(prior, uniform.T, strict=True)], dim=1)

    def checked(self, conditions: Tensor, n: int) -> Tensor:
        """Conditions that somebody asks `n` samples for: numbers, or weights float [n, n_labels x n_conditions].

        :raises EvaluationError: where a sample cannot be told them.
        """
        if self.n_conditions == 0:
            raise EvaluationError("conditions were given, but this generator is told none", "leave them out")
        if conditions.is_floating_point():
            wanted: tuple[int, ...] = (n, self.n_labels * self.n_conditions)
        else:
            wanted = (n,) if self.n_labels == 1 else (n, self.n_labels)
        if conditions.shape != wanted:
            raise EvaluationError(
                f"{n} conditions are needed, one a sample, of shape {wanted}, not {tuple(conditions.shape)}"
            )
        if not conditions.is_floating_point():
            wrong = conditions[(conditions < 0) | (conditions >= self.n_conditions)]
            if len(wrong):
                raise EvaluationError(f"condition {int(wrong[0])} is outside 0..{self.n_conditions - 1}")
        return conditions


def by_inverse(weights: Tensor, uniform: Tensor) -> Tensor:
    """Draws from a histogram by the inverse of its distribution function.

    :param weights: float [K], not negative and not all 0; they need not sum to 1. One of weight 0 is never drawn.
    :param uniform: [N] in [0, 1).
    :returns: int64 [N] below K.
    """
    reached = weights.double().cumsum(0)
    # the first k whose F(k) exceeds u; u < 1 keeps u F(K) below F(K)
    return torch.searchsorted(reached, (uniform.double() * reached[-1]).contiguous(), right=True)
