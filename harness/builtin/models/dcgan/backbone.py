"""dcgan: plain stacks of convolutions (Radford et al., ICLR 2016), as in the public code of Liu et al. (CVPR 2020).

Initial values are torch's own.
"""

from __future__ import annotations

from harness.builtin.models.dcgan.dcgan_settings import DcganSettings, design
from harness.builtin.models.dcgan.discriminator import DcganDiscriminator
from harness.builtin.models.dcgan.generator import DcganGenerator
from harness.layers import NetworkBuilder


def build(settings: DcganSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone for images of this shape (C, H, W), with 8, 16, 32, 48 or 64 pixels a side.

    :raises SettingsError: for other shapes.
    """
    design(settings, shape)
    return NetworkBuilder(
        settings.latent_dim,
        lambda conditions, adapters: DcganGenerator(settings, shape, conditions, adapters),
        lambda conditions, outputs, heads, pack, adapters: DcganDiscriminator(
            settings, shape, conditions, outputs, heads, pack, adapters
        ),
    )
