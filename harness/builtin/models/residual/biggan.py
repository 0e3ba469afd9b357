"""biggan: the residual networks of Brock et al. (ICLR 2019) as in their public PyTorch code.

Which width stands where is in :mod:`harness.builtin.models.residual.biggan_settings`; attention is off by default.
Convolutions are merged with resampling (:class:`harness.layers.spectral.Conv`), so results equal the public networks'
up to rounding.
"""

from __future__ import annotations

from harness.builtin.models.residual.backbone import residual
from harness.builtin.models.residual.biggan_settings import BigGANSettings, design
from harness.layers import NetworkBuilder


def build(settings: BigGANSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone for images of this shape (C, H, W)."""
    return residual(design(settings, shape))
