"""Building blocks of networks, for every backbone and for plugins' own.

Adapters at a network's places, spectrally normalised and equalised maps, filtered resampling, what is told to a
network, the heads that end a discriminator, and what makes a backbone of a pair of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    from harness.devices import without_autocast as without_autocast
    from harness.layers.adapters import (
        Adapters as Adapters,
        adapter_parameters as adapter_parameters,
        backbone_parameters as backbone_parameters,
    )
    from harness.layers.builder import NetworkBuilder as NetworkBuilder
    from harness.layers.conditions import as_rows as as_rows, embed as embed
    from harness.layers.equalised import EqualConv as EqualConv, EqualLinear as EqualLinear
    from harness.layers.heads import (
        Conditioning as Conditioning,
        Heads as Heads,
        check_conditions as check_conditions,
        full as full,
    )
    from harness.layers.image_shape import square as square
    from harness.layers.resampling import (
        BINOMIAL as BINOMIAL,
        blurred as blurred,
        downsampled as downsampled,
        resampled as resampled,
        taps_of as taps_of,
        upsampled as upsampled,
    )
    from harness.layers.spectral import (
        Conv as Conv,
        Embedding as Embedding,
        Linear as Linear,
        Rows as Rows,
        SpectralNorm as SpectralNorm,
        fast_layout as fast_layout,
    )
    from harness.layers.spectral_group import spectral_norms as spectral_norms

__all__, __getattr__ = lazy_names(__name__)
