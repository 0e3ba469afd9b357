"""Sampling from a generator with styles: its intermediate latent space, beside all that a sampler can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from harness.contracts.networks import StyledGenerator
from harness.randomness import Seeds
from harness.samplers.generator_sampler import GeneratorSampler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contracts.networks import Generator
    from harness.training.averaging import Average


class StyledSampler(GeneratorSampler):
    """A sampler of a :class:`harness.contracts.StyledGenerator`; has styles and shows its first layers."""

    generator: StyledGenerator

    def styles(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Latents [N, latent_dim] to styles [N, W], without truncation or mixing; differentiable.

        `noise_seed` fixes the conditions where the generator is told one, the same as in :meth:`generate`.
        """
        return self.generator.styles(latents, self._conditions(Seeds(noise_seed, range(len(latents)))))

    def generate_from_styles(self, styles: Tensor, noise_seed: int) -> Tensor:
        """Images of styles, [N, W] or one a layer [N, n_styles, W]; `noise_seed` fixes the noise; differentiable."""
        return self.generator.synthesise(styles, self._noise(Seeds(noise_seed, range(len(styles)))))

    def layers(self, latents: Tensor, noise_seed: int) -> Mapping[str, Tensor]:
        """What each layer makes of latents [N, latent_dim] on the way to styles, [N, F] by name, in order."""
        return self.generator.layers(latents, self._conditions(Seeds(noise_seed, range(len(latents)))))


def sampler_of(generator: Generator, average: Average[Any], n_conditions: int = 0, **more: Any) -> GeneratorSampler:
    """The sampler of an averaged generator that can all that it can: with styles where there are some.

    :param more: as :meth:`GeneratorSampler.averaged` takes it.
    """
    cls = StyledSampler if isinstance(generator, StyledGenerator) else GeneratorSampler
    return cls.averaged(generator, average, n_conditions, **more)
