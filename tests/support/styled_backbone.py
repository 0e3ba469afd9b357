"""A backbone for tests: a small generator with styles, noise at places between layers, and a plain discriminator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.contracts import (
    Adapted,
    AdapterFactory,
    Critique,
    Discriminator,
    Noise,
    Place,
    Settings,
    StyledGenerator,
)
from harness.layers import Adapters, Embedding, Heads, NetworkBuilder, check_conditions

LAYERS, WIDTH = 3, 8


class StyledSettings(Settings):
    """Settings of the backbone."""

    latent_dim: int = 6
    style_mixing: float = 0.0


class NoiseAdded(nn.Module):
    """An adapter that adds noise of the strength 1/2 to a map."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place.name
        self.strength = nn.Parameter(torch.tensor(0.5))

    def forward(self, features: Tensor, noise: Noise | None = None) -> Adapted:
        if noise is None:
            raise ValueError("a network that is in use is handed its noise")
        return Adapted(features + self.strength * noise(self.place, (len(features), 1, *features.shape[2:])))


class StyledToy(StyledGenerator):
    """A linear map to styles, then layers that scale a learned map by them; linear at its end, so it leaves [-1, 1]."""

    def __init__(
        self, settings: StyledSettings, shape: tuple[int, ...], conditions: int, adapters: AdapterFactory
    ) -> None:
        super().__init__()
        self.latent_dim, self.n_styles, self.style_mixing = settings.latent_dim, LAYERS, settings.style_mixing
        self.conditions = conditions
        self.embedding = Embedding(conditions, settings.latent_dim) if conditions else None
        self.mapping = nn.Linear(settings.latent_dim * (2 if conditions else 1), WIDTH)
        self.constant = nn.Parameter(torch.randn(WIDTH, *shape[1:]))
        self.convs = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(LAYERS))
        self.rgb = nn.Conv2d(WIDTH, shape[0], 1)
        self.places = tuple(Place("generator", "block", index, WIDTH, shape[1]) for index in range(1, LAYERS + 1))
        self.adapters = Adapters(self.places, adapters)

    def styles(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        check_conditions("generator", self.conditions, condition)
        told = [] if self.embedding is None else [self.embedding(condition)]
        found: Tensor = self.mapping(torch.cat([latent, *told], 1))
        return found

    def synthesise(self, styles: Tensor, noise: Noise | None = None) -> Tensor:
        each = styles if styles.ndim == 3 else styles[:, None].expand(-1, self.n_styles, -1)
        h = self.constant.expand(len(each), -1, -1, -1)
        for index, (place, conv) in enumerate(zip(self.places, self.convs, strict=True)):
            h = conv(h * (1 + each[:, index, :, None, None])).relu()
            h = self.adapters.at(place.name, h, noise).map
        images: Tensor = 3 * self.rgb(h)
        return images


class PlainDiscriminator(Discriminator):
    """Two convolutions and the heads."""

    def __init__(
        self, shape: tuple[int, ...], conditions: int, outputs: int, heads: Mapping[str, int], pack: int
    ) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(shape[0] * pack, WIDTH, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(WIDTH, WIDTH, 3, 2, 1)
        )
        self.feature_dim, self.places = WIDTH, ()
        self.heads = Heads(WIDTH, conditions, outputs, heads, None)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        critique: Critique = self.heads(self.convs(images).relu().float().mean((2, 3)), condition)
        return critique


def build(settings: StyledSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone; noise stands at every place of its generator unless a method puts something else there."""
    return NetworkBuilder(
        settings.latent_dim,
        lambda conditions, adapters: StyledToy(settings, shape, conditions, adapters or NoiseAdded),
        lambda conditions, outputs, heads, pack, adapters: PlainDiscriminator(shape, conditions, outputs, heads, pack),
    )
