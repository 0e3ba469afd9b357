"""What the dcgan backbone can be told, and which layers it has at which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from harness import Settings
from harness.layers import square


class DcganSettings(Settings):
    """Settings of the dcgan backbone; the defaults are the networks of Liu et al. (CVPR 2020) for CIFAR."""

    width: int = Field(64, gt=0)
    """channels of the generator's last map and the discriminator's first; the others are 2, 4, 8, ... times as many"""
    latent_dim: int = Field(128, gt=0)
    """size of the latent"""
    embedding_dim: int = Field(256, gt=0)
    """size of the unit-norm embedding of the condition, which is appended to the latent"""
    discriminator: Literal["alternating", "strided"] = "alternating"
    """alternating: 3 x 3 and strided 4 x 4 convolutions in turn, no normalisation (their CIFAR); strided: 4 x 4 ones
    with batch norm, which sees whatever is in a batch (their Stacked MNIST)"""
    conditioning: Literal["rows", "projection"] = "rows"
    """how a discriminator's logit depends on the condition: a row of the last linear map each, or a projection"""


#: side in pixels of the first map, by that of the images. 32 and 48 are published; at 8, 16 and 64 pixels two layers
#: fewer, one fewer and one more double the size, and the widths go on halving from one map to the next.
BOTTOMS = {8: 4, 16: 4, 32: 4, 48: 6, 64: 4}


@dataclass(frozen=True)
class Layer:
    """A convolution of the discriminator: a 3 x 3 one, or a 4 x 4 one that halves the resolution."""

    inputs: int
    outputs: int
    halves: bool


@dataclass(frozen=True)
class Design:
    """What fixes the two networks.

    :param bottom: side of the generator's first map.
    :param generator: channels of its maps; each is twice as large as the one before.
    :param discriminator: its layers.
    :param feature_side: side of the discriminator's last map.
    """

    resolution: int
    channels: int
    bottom: int
    generator: tuple[int, ...]
    discriminator: tuple[Layer, ...]
    feature_side: int


def design(settings: DcganSettings, shape: tuple[int, ...], pack: int = 1) -> Design:
    """The networks that the settings mean for images [C, H, W].

    :param pack: images that the discriminator sees at once.
    :raises SettingsError: where the shape cannot be built.
    """
    channels, side = square("dcgan", shape, BOTTOMS)
    bottom = BOTTOMS[side]
    doublings = (side // bottom).bit_length() - 1
    # w, 2 w, ..., as many as there are sizes from the image down to the generator's first map
    rising = [settings.width * 2**index for index in range(doublings + 1)]
    if settings.discriminator == "strided":
        planned = [(width, True) for width in rising]
    else:  # each width but the last twice: a 3 x 3 convolution, then one that halves
        planned = [(width, halves) for width in rising for halves in (False, True)][:-1]
    inputs = [channels * pack, *(width for width, _ in planned)]
    layers = tuple(Layer(before, *layer) for before, layer in zip(inputs, planned, strict=False))
    return Design(
        resolution=side,
        channels=channels,
        bottom=bottom,
        generator=tuple(reversed(rising)),
        discriminator=layers,
        feature_side=side // 2 ** sum(layer.halves for layer in layers),
    )
