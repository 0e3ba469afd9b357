"""What the sngan backbone can be told, and the table of its topologies.

Armandpour et al. (CVPR 2021) print the widths in Tables 6 and 7; their released code has others.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness import Settings
from harness.builtin.models.residual.design import Design, Topology
from harness.layers import square

Source = Literal["code", "paper"]


class SnganSettings(Settings):
    """Settings of the sngan backbone."""

    width: int = Field(64, gt=0)
    """channels that every multiplier scales"""
    widths: Source = "code"
    """whose multipliers: those of the released code, or the paper's, which has a discriminator half as wide at 32
    pixels, and a generator half as wide after its first map at 48"""
    latent_dim: int = Field(128, gt=0)
    """size of the latent"""
    projection_bias: bool = True
    """give the discriminator's projection a bias a condition, as the released code does"""
    spectral_norm: bool = True
    """divide every convolution and linear map, of both networks, by its largest singular value"""
    spectral_norm_eps: float = Field(1e-12, gt=0)
    """smallest norm in the power iteration"""
    init: Literal["normal", "orthogonal"] = "normal"
    """initial weights: normal (standard deviation 0.02) or orthogonal"""


_DEEP = (1, 2, 4, 8, 16)

#: by source and side length in pixels; the generator's first map is 4 x 4, or 3 x 3 at 24 and 48 pixels. 32 and 48 are
#: published. The others are ours: they lack the generator's first blocks, and one of the discriminator's, which halves
#: the resolution no further than to 4 x 4, or 3 x 3 at 24 pixels.
TOPOLOGIES: dict[Source, dict[int, Topology]] = {
    "code": {
        8: Topology((4,), (4,), (4, 4, 4), (True, False, False)),
        16: Topology((4, 4), (4, 4), (4, 4, 4), (True, False, False)),
        24: Topology((8, 8, 4), (8, 4, 2), _DEEP[:4], (True,) * 3 + (False,)),
        32: Topology((4, 4, 4), (4, 4, 4), (4, 4, 4, 4), (True, True, False, False)),
        48: Topology((16, 16, 8, 4), (16, 8, 4, 2), _DEEP, (True,) * 4 + (False,)),
    },
    "paper": {
        8: Topology((4,), (4,), (2, 2, 2), (True, False, False)),
        16: Topology((4, 4), (4, 4), (2, 2, 2), (True, False, False)),
        24: Topology((8, 4, 2), (4, 2, 1), _DEEP[:4], (True,) * 3 + (False,)),
        32: Topology((4, 4, 4), (4, 4, 4), (2, 2, 2, 2), (True, True, False, False)),
        48: Topology((16, 8, 4, 2), (8, 4, 2, 1), _DEEP, (True,) * 4 + (False,)),
    },
}


def design(settings: SnganSettings, shape: tuple[int, ...]) -> Design:
    """The networks that the settings mean for images [C, H, W].

    :raises SettingsError: where the shape cannot be built.
    """
    channels, side = square("sngan", shape, TOPOLOGIES[settings.widths], "3 or 4 pixels doubled by every block")
    return Design(
        resolution=side,
        channels=channels,
        topology=TOPOLOGIES[settings.widths][side],
        width=settings.width,
        latent_dim=settings.latent_dim,
        latent_pieces=1,
        embedding_dim=0,
        spectral_norm=settings.spectral_norm_eps if settings.spectral_norm else None,
        init=settings.init,
        bottom=3 if side % 3 == 0 else 4,
        projection_bias=settings.projection_bias,
    )
