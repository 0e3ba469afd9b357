"""Everything that fixes a pair of residual networks: how wide which block is, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: initial weights: normal with a standard deviation of 0.02, or orthogonal
Init = Literal["normal", "orthogonal"]


@dataclass(frozen=True)
class Topology:
    """Multipliers of the width, block by block.

    :param generator_in: of each generator block's input; each block doubles the resolution.
    :param generator_out: of each generator block's output.
    :param discriminator_out: of each discriminator block's output.
    :param discriminator_down: which discriminator blocks halve the resolution.
    """

    generator_in: tuple[int, ...]
    generator_out: tuple[int, ...]
    discriminator_out: tuple[int, ...]
    discriminator_down: tuple[bool, ...]


@dataclass(frozen=True)
class Design:
    """Everything that fixes the two networks.

    :param spectral_norm: smallest norm in the power iteration; None for no spectral norm.
    :param embedding_dim: size of the shared class embedding; 0 where each batch norm has its own.
    :param latent_pieces: equal pieces that the latent is cut into; 1 leaves it whole.
    :param attention: side of the maps that are followed by attention; 0 for none.
    :param bottom: side of the generator's first map.
    :param projection_bias: whether the discriminator's projection has a bias a condition.
    """

    resolution: int
    channels: int
    topology: Topology
    width: int
    latent_dim: int
    latent_pieces: int
    embedding_dim: int
    spectral_norm: float | None
    init: Init
    attention: int = 0
    bottom: int = 4
    projection_bias: bool = False
