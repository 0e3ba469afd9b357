"""sngan: spectrally normalised residual networks (Miyato et al., ICLR 2018; Armandpour et al., CVPR 2021, App. C).

They are biggan's networks without a hierarchical latent, with the widths of
:mod:`harness.builtin.models.residual.sngan_settings`: gains and biases a condition in both batch norms of every
generator block, none in its last one; averaging, sum pooling and a projection in the discriminator.
"""

from __future__ import annotations

from harness.builtin.models.residual.backbone import residual
from harness.builtin.models.residual.sngan_settings import SnganSettings, design
from harness.layers import NetworkBuilder


def build(settings: SnganSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone for images of this shape (C, H, W), with 8, 16, 24, 32 or 48 pixels a side.

    :raises SettingsError: for other shapes.
    """
    return residual(design(settings, shape))
