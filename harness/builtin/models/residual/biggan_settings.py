"""What the biggan backbone can be told, and the table of its topologies.

The public code uses two families of choices, one for CIFAR (32 pixels) and one for ImageNet (64 and 128). A setting
that is not given takes its value from the family of the resolution, in :data:`FAMILIES` below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import Field

from harness import Settings
from harness.builtin.models.residual.design import Design, Init, Topology
from harness.errors import SettingsError
from harness.layers import square

T = TypeVar("T")


class BigGANSettings(Settings):
    """Settings of the biggan backbone; those that are None follow the resolution."""

    width: int | None = Field(None, gt=0)
    """channels that every multiplier scales ("ch"); up to 32 pixels 64, above 96"""
    latent_dim: int | None = Field(None, gt=0)
    """size of the latent; up to 32 pixels 128, above 120"""
    hierarchical_latent: bool | None = None
    """feed the latent in equal pieces to the first layer and to each block's batch norms; only above 32 pixels"""
    shared_embedding: bool | None = None
    """one class embedding for all batch norms, instead of gains and biases a class in each; only above 32 pixels"""
    embedding_dim: int = Field(128, gt=0)
    """size of the shared class embedding"""
    spectral_norm: bool = True
    """divide every convolution and linear map, of both networks, by its largest singular value"""
    spectral_norm_eps: float | None = Field(None, gt=0)
    """smallest norm in the power iteration; up to 32 pixels 1e-12, above 1e-6"""
    init: Init | None = None
    """initial weights: normal (standard deviation 0.02) up to 32 pixels, orthogonal above"""
    attention: int = Field(0, ge=0)
    """side of the maps whose pixels look at one another, where a network has such maps (public code: 64); 0 for none"""


#: 32, 64 and 128 pixels are the public code's. 8 and 16 are ours, made from 32 by leaving out generator blocks, and as
#: many of the discriminator's as keep its last map no smaller than 4 x 4; its last two blocks never change resolution.
TOPOLOGIES = {
    8: Topology((4,), (4,), (4, 4, 4), (True, False, False)),
    16: Topology((4, 4), (4, 4), (4, 4, 4), (True, False, False)),
    32: Topology((4, 4, 4), (4, 4, 4), (4, 4, 4, 4), (True, True, False, False)),
    64: Topology((16, 16, 8, 4), (16, 8, 4, 2), (1, 2, 4, 8, 16), (True,) * 4 + (False,)),
    128: Topology((16, 16, 8, 4, 2), (16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), (True,) * 5 + (False,)),
}


@dataclass(frozen=True)
class _Family:
    width: int
    latent_dim: int
    hierarchical_latent: bool
    shared_embedding: bool
    spectral_norm_eps: float
    init: Init


#: largest resolution of a family, and the family
FAMILIES = (
    (32, _Family(64, 128, False, False, 1e-12, "normal")),
    (128, _Family(96, 120, True, True, 1e-6, "orthogonal")),
)


def design(settings: BigGANSettings, shape: tuple[int, ...]) -> Design:
    """The networks that the settings mean for images [C, H, W].

    :raises SettingsError: where the shape cannot be built or settings contradict each other.
    """
    channels, resolution = square("biggan", shape, TOPOLOGIES)
    topology = TOPOLOGIES[resolution]
    family = next(family for largest, family in FAMILIES if resolution <= largest)
    shared = _given(settings.shared_embedding, family.shared_embedding)
    hierarchical = _given(settings.hierarchical_latent, family.hierarchical_latent)
    if hierarchical and not shared:
        raise SettingsError(
            f"backbone 'biggan' at {resolution} pixels: hierarchical_latent=true with shared_embedding=false",
            "pieces of the latent reach the batch norms beside the shared embedding: set both or neither",
        )
    sides = [4 * 2**index for index in range(1, len(topology.generator_in) + 1)]
    if settings.attention and settings.attention not in sides:
        raise SettingsError(
            f"backbone 'biggan' at {resolution} pixels has no map of {settings.attention} x {settings.attention} "
            "for attention",
            f"set attention to 0 (none) or one of {', '.join(map(str, sides))}",
        )
    latent_dim = _given(settings.latent_dim, family.latent_dim)
    pieces = len(topology.generator_in) + 1 if hierarchical else 1
    if latent_dim % pieces:
        near = max(latent_dim // pieces, 1) * pieces
        raise SettingsError(
            f"backbone 'biggan' at {resolution} pixels cuts the latent into {pieces} equal pieces, "
            f"which latent_dim={latent_dim} does not allow",
            f"set latent_dim={near} or hierarchical_latent=false",
        )
    return Design(
        resolution=resolution,
        channels=channels,
        topology=topology,
        width=_given(settings.width, family.width),
        latent_dim=latent_dim,
        latent_pieces=pieces,
        embedding_dim=settings.embedding_dim if shared else 0,
        spectral_norm=_given(settings.spectral_norm_eps, family.spectral_norm_eps) if settings.spectral_norm else None,
        init=_given(settings.init, family.init),
        attention=settings.attention,
    )


def _given(setting: T | None, default: T) -> T:
    return default if setting is None else setting
