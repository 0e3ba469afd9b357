"""A generator that is linear in its latents, so that whatever is measured in its latent space has a closed form."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Reconstructions, Samples
from harness.contracts.specs import ExtractorSpec
from harness.evaluation import Bench, Measurement, MetricContext, Value
from harness.randomness import Seeds


class Linear:
    """Images are latents times a matrix [d, C*H*W], plus noise that hangs on the noise seed alone.

    :ivar noise_seeds: those that it was handed, in order.
    :ivar sizes: how many latents came with each.
    """

    networks: Mapping[str, nn.Module] = {}
    subject: Mapping[str, str] = {}

    def __init__(self, matrix: Tensor, shape: tuple[int, int, int] = (1, 4, 4), noise: float = 0.0) -> None:
        self.matrix = matrix.float()
        self.shape = shape
        self.noise = noise
        self.noise_seeds: list[int] = []
        self.sizes: list[int] = []

    def latents(self, seeds: Seeds) -> Tensor:
        return seeds.normal("latent", len(self.matrix))

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        self.noise_seeds.append(noise_seed)
        self.sizes.append(len(latents))
        drawn = np.random.default_rng(noise_seed).standard_normal((len(latents), *self.shape), dtype=np.float32)
        return (latents @ self.matrix).reshape(-1, *self.shape) + self.noise * torch.from_numpy(drawn)

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        latents = self.latents(seeds)
        return Samples(self.generate(latents, 0), None, latents)


class Styled(Linear):
    """Styles are latents times a factor; images are made from styles as from latents."""

    factor = 3.0

    def styles(self, latents: Tensor, noise_seed: int) -> Tensor:
        return self.factor * latents

    def generate_from_styles(self, styles: Tensor, noise_seed: int) -> Tensor:
        return Linear.generate(self, styles, noise_seed)

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        return self.generate_from_styles(self.styles(latents, noise_seed), noise_seed)


class Encoding(Linear):
    """Finds every latent again, wrong by a fixed amount in each dimension."""

    def __init__(self, matrix: Tensor, wrong: Tensor) -> None:
        super().__init__(matrix)
        self.wrong = wrong

    def reconstruct(self, images: Tensor) -> Reconstructions:
        found = images.flatten(1) @ torch.linalg.pinv(self.matrix) + self.wrong
        return Reconstructions(images, found)


class Scaled(Encoding):
    """The same with a learned scale, which its generator leaves to the caller to think of."""

    def __init__(self, matrix: Tensor, wrong: Tensor, scale: Tensor) -> None:
        super().__init__(matrix, wrong)
        self.scale = scale

    def latent_scale(self) -> Tensor:
        return self.scale


class MeanSquare:
    """A distance with a closed form; what it is shown is kept.

    :ivar seen: shapes of the images.
    """

    batch = 20

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        assert a.dtype == b.dtype == torch.float32
        self.seen.append(tuple(a.shape))
        return (a - b).square().flatten(1).mean(1)


def matrix(rows: int, columns: int, seed: int = 0) -> Tensor:
    """Standard normal entries."""
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def offer_of(bench: Bench, settings: Any, shape: tuple[int, int, int]) -> MetricContext:
    """An offer in which the data have a shape, and no network needs weights."""
    offer = MetricContext(bench, settings)
    offer.dataset = SimpleNamespace(problem=lambda: SimpleNamespace(shape=shape))  # type: ignore[assignment]
    offer.spec = lambda name: ExtractorSpec(name=name, summary="", load="", accepts="")  # type: ignore[method-assign]
    return offer


def values(bench: Bench, measurement: Measurement) -> dict[str, Value]:
    """What a measurement computes from evidence made on the bench."""
    evidence = {role: bench.get(request) for role, request in measurement.evidence.items()}
    return dict(measurement.compute(**evidence))  # type: ignore[arg-type]
