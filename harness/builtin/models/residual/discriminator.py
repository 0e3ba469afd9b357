"""The discriminator of biggan and sngan: residual blocks, a sum over all pixels, linear heads."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.residual.blocks import Attention, DiscriminatorBlock, initialise
from harness.builtin.models.residual.design import Design
from harness.contracts import AdapterFactory, Critique, Discriminator, Place
from harness.layers import Adapters, Conditioning, Heads, fast_layout, full, spectral_norms


class BigGANDiscriminator(Discriminator):
    """Residual blocks, sum over all pixels of ReLU(h), linear heads."""

    def __init__(
        self,
        plan: Design,
        conditions: int,
        outputs: int,
        heads: Mapping[str, int],
        pack: int,
        adapters: AdapterFactory | None,
    ) -> None:
        super().__init__()
        eps, topology = plan.spectral_norm, plan.topology
        widths = [plan.channels * pack, *(plan.width * times for times in topology.discriminator_out)]
        self.feature_dim = widths[-1]
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleDict()
        places = []
        resolution = plan.resolution
        for index, ((inputs, width), down) in enumerate(
            zip(pairwise(widths), topology.discriminator_down, strict=True), 1
        ):
            self.blocks.append(DiscriminatorBlock(inputs, width, first=index == 1, down=down, eps=eps))
            resolution = resolution // 2 if down else resolution
            places.append(Place("discriminator", "block", index, width, resolution))
            if resolution == plan.attention:
                self.attention[places[-1].name] = Attention(width, eps)
        conditioning: Conditioning = "biased_projection" if plan.projection_bias else "projection"
        self.heads = Heads(self.feature_dim, conditions, outputs, heads, eps, conditioning)
        initialise(self, plan.init)
        self.places = tuple(places)
        self.adapters = Adapters(self.places, adapters)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        """Images [N, C * pack, R, R] in [-1, 1] and a condition to a critique."""
        blocks = [
            nn.Sequential(block, self.attention[place.name]) if place.name in self.attention else block
            for place, block in zip(self.places, self.blocks, strict=True)
        ]
        with spectral_norms(self):
            h, maps, notes = self.adapters.after_each(self.places, blocks, fast_layout(images))
            critique: Critique = self.heads(full(F.relu(h)).sum((2, 3)), condition)
        critique.maps, critique.notes = maps, notes
        return critique
