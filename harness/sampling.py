"""What most trained methods can do: draw latents and conditions for numbered samples and run one generator on them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from harness.capabilities import Samples
from harness.errors import EvaluationError
from harness.networks import Generator
from harness.randomness import Seeds

if TYPE_CHECKING:
    from harness.training.averaging import Average

#: what a generator's weights are, unless a method says otherwise
_AVERAGED: Mapping[str, str] = MappingProxyType({"weights": "ema"})


class GeneratorSampler:
    """A trained generator fed from a standard normal prior; can sample and has a latent space.

    Sample i is fixed by (run seed, i): its latent and its condition come from draws keyed by its number.

    :param generator: what is sampled from; the caller sets its mode.
    :param n_conditions: how many conditions it may be told, drawn uniformly; 0 where it is told nothing.
    :param subject: what of the method is measured.
    :param told_labels: whether condition k means the data set's label k.
    """

    def __init__(
        self,
        generator: Generator,
        n_conditions: int = 0,
        subject: Mapping[str, str] = _AVERAGED,
        *,
        told_labels: bool = False,
    ) -> None:
        self.generator = generator
        self.n_conditions = n_conditions
        self.subject: Mapping[str, str] = dict(subject)
        self.told_labels = told_labels and n_conditions > 0

    @classmethod
    def averaged(
        cls, generator: Generator, average: Average[Any], n_conditions: int = 0, *, told_labels: bool = False
    ) -> GeneratorSampler:
        """Samples from the averaged generator, or from the generator itself where averaging is off (decay 0)."""
        if average.decay == 0:
            return cls(generator, n_conditions, {"weights": "raw"}, told_labels=told_labels)
        return cls(average.module, n_conditions, told_labels=told_labels)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    @torch.no_grad()
    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """One image or point per seed; conditions int64 [N] as given, else drawn uniformly."""
        latents = self.latents(seeds)
        told = self._conditions(seeds) if conditions is None else self._checked(conditions, len(seeds))
        return Samples(self.generator(latents, told), told, latents)

    def latents(self, seeds: Seeds) -> Tensor:
        """Standard normal latents [N, latent_dim] on the generator's device."""
        return seeds.normal("latent", self.generator.latent_dim).to(self._device())

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Images of latents [N, latent_dim]; `noise_seed` fixes the conditions where the generator is told one."""
        told = self._conditions(Seeds(noise_seed, range(len(latents))))
        images: Tensor = self.generator(latents, told)
        return images

    def _conditions(self, seeds: Seeds) -> Tensor | None:
        if self.n_conditions == 0:
            return None
        return seeds.integers("condition", self.n_conditions).to(self._device())

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
