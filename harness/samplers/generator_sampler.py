"""What most trained methods can do: draw latents and conditions for numbered samples and run one generator on them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Samples
from harness.contracts.networks import Generator, Noise
from harness.randomness import Seeds
from harness.samplers.condition_law import ConditionLaw

if TYPE_CHECKING:
    from harness.training.averaging import Average

#: what a generator's weights are, unless a method says otherwise
_AVERAGED: Mapping[str, str] = MappingProxyType({"weights": "ema"})


class GeneratorSampler:
    """A trained generator fed from a standard normal prior; can sample and has a latent space.

    Sample i is fixed by (run seed, i): its latent, its condition and all noise inside the generator come from draws
    keyed by its number, so that it hangs on neither the other samples of its block nor the block's size.

    :param generator: what is sampled from; the caller sets its mode.
    :param n_conditions: how many conditions it may be told; 0 where it is told nothing.
    :param subject: what of the method is measured.
    :param told_labels: whether condition k means the data set's label k.
    :param prior: weight of each condition, float [n_conditions], or [n_labels, n_conditions] with several labels; see
        :class:`harness.samplers.condition_law.ConditionLaw`.
    :param n_labels: labels that a sample has at once, each below `n_conditions`.
    """

    def __init__(
        self,
        generator: Generator,
        n_conditions: int = 0,
        subject: Mapping[str, str] = _AVERAGED,
        *,
        told_labels: bool = False,
        prior: Tensor | None = None,
        n_labels: int = 1,
    ) -> None:
        self.generator = generator
        self.subject: Mapping[str, str] = dict(subject)
        self.told_labels = told_labels and n_conditions > 0 and n_labels == 1
        self._law = ConditionLaw(n_conditions, n_labels, prior)

    @classmethod
    def averaged(
        cls,
        generator: Generator,
        average: Average[Any],
        n_conditions: int = 0,
        *,
        told_labels: bool = False,
        prior: Tensor | None = None,
        n_labels: int = 1,
    ) -> Self:
        """Samples from the averaged generator, or from the generator itself where averaging is off (decay 0)."""
        raw = average.decay == 0
        return cls(
            generator if raw else average.module,
            n_conditions,
            {"weights": "raw"} if raw else _AVERAGED,
            told_labels=told_labels,
            prior=prior,
            n_labels=n_labels,
        )

    @property
    def n_conditions(self) -> int:
        """How many conditions there are; 0 where it is told nothing."""
        return self._law.n_conditions

    @property
    def n_labels(self) -> int:
        """Labels that a sample has at once."""
        return self._law.n_labels

    @property
    def prior(self) -> Tensor | None:
        """Weights of the conditions, to be changed in place alone; None where they are uniform."""
        return self._law.prior

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    @torch.no_grad()
    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """One image or point per seed; images are clamped to [-1, 1].

        :param conditions: as :meth:`ConditionLaw.checked` takes them, else drawn from the prior.
        :raises EvaluationError: for conditions that it cannot be told.
        """
        latents = self.latents(seeds)
        told = self._told(seeds, conditions)
        return Samples(clamped(self.made(latents, told, seeds)), told, latents)

    def latents(self, seeds: Seeds) -> Tensor:
        """Standard normal latents [N, latent_dim] on the generator's device."""
        return seeds.normal("latent", self.generator.latent_dim).to(self._device())

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Images of latents [N, latent_dim], which may leave [-1, 1]; differentiable.

        `noise_seed` fixes noise, and the conditions where the generator is told one.
        """
        seeds = Seeds(noise_seed, range(len(latents)))
        return self.made(latents, self._conditions(seeds), seeds)

    def made(self, latents: Tensor, told: Tensor | None, seeds: Seeds) -> Tensor:
        """What the generator makes of latents and conditions, with the noise of these samples; never clamped."""
        images: Tensor = self.generator(latents, told, self._noise(seeds))
        return images

    def _noise(self, seeds: Seeds) -> Noise:
        return keyed_noise(seeds, self._device())

    def _told(self, seeds: Seeds, conditions: Tensor | None) -> Tensor | None:
        """Conditions as given, else drawn."""
        if conditions is None:
            return self._conditions(seeds)
        return self._law.checked(conditions, len(seeds)).to(self._device())

    def _conditions(self, seeds: Seeds) -> Tensor | None:
        drawn = self._law.draw(seeds)
        return None if drawn is None else drawn.to(self._device())

    def _device(self) -> torch.device:
        return next(self.generator.parameters()).device


def keyed_noise(seeds: Seeds, device: torch.device) -> Noise:
    """Noise that hangs on the sample's number and the place alone, whatever the block.

    A place asks once a pass, for [N, ...] with a row for each of the samples.
    """

    def noise(place: str, shape: tuple[int, ...]) -> Tensor:
        if not shape or shape[0] != len(seeds):
            raise ValueError(f"noise at {place} is asked for {shape}, for {len(seeds)} samples")
        return seeds.normal(f"noise {place}", *shape[1:]).to(device)

    return noise


def clamped(samples: Tensor) -> Tensor:
    """Images [N, C, H, W] within [-1, 1]; points [N, D] as they are."""
    return samples.clamp(-1.0, 1.0) if samples.ndim == 4 else samples
