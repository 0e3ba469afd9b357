"""A backbone whose discriminator sees every resolution: in training its generator makes an atlas of all of them.

An atlas [N, C, H, 3 W / 2] has the image at its left and the smaller levels below each other at its right.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.contracts import Critique, Discriminator, Generator, Noise, Settings
from harness.layers import Embedding, Heads, NetworkBuilder, check_conditions

WIDTH = 8

#: pixels a side of the smallest level
SMALLEST = 2


class AtlasSettings(Settings):
    """Settings of the backbone."""

    latent_dim: int = 6


def pyramid(images: Tensor) -> list[Tensor]:
    """Images [N, C, W, W] and their means over squares of 2, 4, ... pixels, largest first."""
    levels = [images]
    while levels[-1].shape[3] > SMALLEST:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def pack(levels: list[Tensor]) -> Tensor:
    """Levels, largest first, each half as large as the one before, to an atlas."""
    image, *smaller = levels
    side = image.shape[3]
    column = torch.cat([F.pad(level, (0, side // 2 - level.shape[3])) for level in smaller], 2)
    return torch.cat([image, F.pad(column, (0, 0, 0, side - column.shape[2]))], 3)


def unpack(atlas: Tensor) -> list[Tensor]:
    """An atlas to its levels, largest first."""
    side = atlas.shape[2]
    levels, row, size = [atlas[..., :side]], 0, side // 2
    while size >= SMALLEST:
        levels.append(atlas[:, :, row : row + size, side : side + size])
        row, size = row + size, size // 2
    return levels


class AtlasGenerator(Generator):
    """A linear map to the smallest level, then a convolution a level, each of which shows its image."""

    def __init__(self, settings: AtlasSettings, shape: tuple[int, ...], conditions: int) -> None:
        super().__init__()
        self.latent_dim, self.conditions, self.places = settings.latent_dim, conditions, ()
        self.embedding = Embedding(conditions, settings.latent_dim) if conditions else None
        self.linear = nn.Linear(settings.latent_dim * (2 if conditions else 1), WIDTH * SMALLEST**2)
        levels = (shape[1] // SMALLEST).bit_length()
        self.convs = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(levels))
        self.rgbs = nn.ModuleList(nn.Conv2d(WIDTH, shape[0], 1) for _ in range(levels))

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        check_conditions("generator", self.conditions, condition)
        told = [] if self.embedding is None else [self.embedding(condition)]
        h = self.linear(torch.cat([latent, *told], 1)).unflatten(1, (WIDTH, SMALLEST, SMALLEST))
        levels: list[Tensor] = []
        for conv, rgb in zip(self.convs, self.rgbs, strict=True):
            h = conv(F.interpolate(h, scale_factor=2) if levels else h).relu()
            levels.append(rgb(h).tanh())
        return pack(levels[::-1]) if self.training else levels[-1]


class AtlasDiscriminator(Discriminator):
    """Reads the levels of an atlas, or of an image, one after another."""

    atlas = True

    def __init__(
        self, shape: tuple[int, ...], conditions: int, outputs: int, heads: Mapping[str, int], packed: int
    ) -> None:
        super().__init__()
        channels, levels = shape[0] * packed, (shape[1] // SMALLEST).bit_length()
        self.convs = nn.ModuleList(
            nn.Conv2d(channels + (WIDTH if level else 0), WIDTH, 3, 2, 1) for level in range(levels)
        )
        self.feature_dim, self.places = WIDTH, ()
        self.heads = Heads(WIDTH, conditions, outputs, heads, None)

    def as_made(self, images: Tensor) -> Tensor:
        return pack(pyramid(images))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        square = images.shape[2] == images.shape[3]
        h: Tensor | None = None
        for level, conv in zip(pyramid(images) if square else unpack(images), self.convs, strict=True):
            h = F.leaky_relu(conv(level if h is None else torch.cat([level, h], 1)), 0.2)
        assert h is not None
        critique: Critique = self.heads(h.float().mean((2, 3)), condition)
        return critique


def build(settings: AtlasSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone; it has no places."""
    return NetworkBuilder(
        settings.latent_dim,
        lambda conditions, adapters: AtlasGenerator(settings, shape, conditions),
        lambda conditions, outputs, heads, packed, adapters: AtlasDiscriminator(
            shape, conditions, outputs, heads, packed
        ),
    )
