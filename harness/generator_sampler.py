"""What most trained methods can do: draw latents and conditions for numbered samples and run one generator on them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Samples
from harness.contracts.networks import Generator
from harness.errors import EvaluationError
from harness.randomness import Seeds

if TYPE_CHECKING:
    from harness.training.averaging import Average

#: what a generator's weights are, unless a method says otherwise
_AVERAGED: Mapping[str, str] = MappingProxyType({"weights": "ema"})


class GeneratorSampler:
    """A trained generator fed from a standard normal prior; can sample and has a latent space.

    Sample i is fixed by (run seed, i): its latent and its condition come from draws keyed by its number.

    :param generator: what is sampled from; the caller sets its mode.
    :param n_conditions: how many conditions it may be told; 0 where it is told nothing.
    :param subject: what of the method is measured.
    :param told_labels: whether condition k means the data set's label k.
    :param prior: weight of each condition, float [n_conditions], not negative and not all 0; read at every draw, so
        that it may change in place. None: conditions are drawn uniformly.
    """

    def __init__(
        self,
        generator: Generator,
        n_conditions: int = 0,
        subject: Mapping[str, str] = _AVERAGED,
        *,
        told_labels: bool = False,
        prior: Tensor | None = None,
    ) -> None:
        if prior is not None and prior.shape != (n_conditions,):
            raise ValueError(f"a prior of {n_conditions} conditions is needed, not of shape {tuple(prior.shape)}")
        self.generator = generator
        self.n_conditions = n_conditions
        self.subject: Mapping[str, str] = dict(subject)
        self.told_labels = told_labels and n_conditions > 0
        self.prior = prior

    @classmethod
    def averaged(
        cls,
        generator: Generator,
        average: Average[Any],
        n_conditions: int = 0,
        *,
        told_labels: bool = False,
        prior: Tensor | None = None,
    ) -> Self:
        """Samples from the averaged generator, or from the generator itself where averaging is off (decay 0)."""
        if average.decay == 0:
            return cls(generator, n_conditions, {"weights": "raw"}, told_labels=told_labels, prior=prior)
        return cls(average.module, n_conditions, told_labels=told_labels, prior=prior)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    @torch.no_grad()
    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """One image or point per seed; conditions int64 [N] as given, else drawn from the prior."""
        latents = self.latents(seeds)
        told = self._told(seeds, conditions)
        return Samples(self.generator(latents, told), told, latents)

    def latents(self, seeds: Seeds) -> Tensor:
        """Standard normal latents [N, latent_dim] on the generator's device."""
        return seeds.normal("latent", self.generator.latent_dim).to(self._device())

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Images of latents [N, latent_dim]; `noise_seed` fixes the conditions where the generator is told one."""
        told = self._conditions(Seeds(noise_seed, range(len(latents))))
        images: Tensor = self.generator(latents, told)
        return images

    def _told(self, seeds: Seeds, conditions: Tensor | None) -> Tensor | None:
        """Conditions as given, else drawn."""
        return self._conditions(seeds) if conditions is None else self._checked(conditions, len(seeds))

    def _conditions(self, seeds: Seeds) -> Tensor | None:
        if self.n_conditions == 0:
            return None
        if self.prior is None:
            return seeds.integers("condition", self.n_conditions).to(self._device())
        return by_inverse(self.prior.cpu(), seeds.uniform("condition")).to(self._device())

    def _checked(self, conditions: Tensor, n: int) -> Tensor:
        if self.n_conditions == 0:
            raise EvaluationError("conditions were given, but this generator is told none", "leave them out")
        if conditions.shape != (n,):
            raise EvaluationError(f"{n} conditions are needed, one a sample, not {tuple(conditions.shape)}")
        if n and not 0 <= int(conditions.min()) <= int(conditions.max()) < self.n_conditions:
            wrong = conditions[(conditions < 0) | (conditions >= self.n_conditions)][0]
            raise EvaluationError(f"condition {int(wrong)} is outside 0..{self.n_conditions - 1}")
        return conditions.to(self._device())

    def _device(self) -> torch.device:
        return next(self.generator.parameters()).device


def by_inverse(weights: Tensor, uniform: Tensor) -> Tensor:
    """Draws from a histogram by the inverse of its distribution function.

    :param weights: float [K], not negative and not all 0; they need not sum to 1. One of weight 0 is never drawn.
    :param uniform: [N] in [0, 1).
    :returns: int64 [N] below K.
    """
    reached = weights.double().cumsum(0)
    # the first k whose F(k) exceeds u; u < 1 keeps u F(K) below F(K)
    return torch.searchsorted(reached, uniform.double() * reached[-1], right=True)
