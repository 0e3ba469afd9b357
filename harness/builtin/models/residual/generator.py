"""The generator of biggan and sngan: residual blocks that double the resolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.residual.blocks import Attention, GeneratorBlock, PlainBatchNorm, batch_norm, initialise
from harness.builtin.models.residual.design import Design
from harness.contracts import AdapterFactory, Generator, Noise, Place
from harness.layers import Adapters, Conv, Embedding, Linear, check_conditions, fast_layout, full, spectral_norms


class BigGANGenerator(Generator):
    """Linear to a small map, residual blocks that double it, then batch norm, ReLU, convolution and tanh."""

    def __init__(self, plan: Design, conditions: int, adapters: AdapterFactory | None) -> None:
        super().__init__()
        self.latent_dim = plan.latent_dim
        self.conditions = conditions
        self.pieces, self.bottom = plan.latent_pieces, plan.bottom
        eps, ch, topology = plan.spectral_norm, plan.width, plan.topology
        piece = plan.latent_dim // plan.latent_pieces
        embedding_dim = plan.embedding_dim if conditions else 0
        style_dim = embedding_dim + (piece if plan.latent_pieces > 1 else 0)

        self.embedding = Embedding(conditions, embedding_dim) if embedding_dim else None
        self.linear = Linear(piece, topology.generator_in[0] * ch * plan.bottom**2, eps=eps)
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleDict()
        places = []
        for index, (inputs, outputs) in enumerate(zip(topology.generator_in, topology.generator_out, strict=True), 1):
            widths = inputs * ch, outputs * ch
            norm1, norm2 = (batch_norm(w, classes=conditions, style_dim=style_dim, eps=eps) for w in widths)
            self.blocks.append(GeneratorBlock(*widths, (norm1, norm2), eps))
            places.append(Place("generator", "block", index, widths[1], plan.bottom * 2**index))
            if places[-1].resolution == plan.attention:
                self.attention[places[-1].name] = Attention(widths[1], eps)
        self.norm = PlainBatchNorm(topology.generator_out[-1] * ch)
        self.conv = Conv(topology.generator_out[-1] * ch, plan.channels, 3, eps=eps)
        initialise(self, plan.init)
        self.places = tuple(places)
        self.adapters = Adapters(self.places, adapters)

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and a condition to images [N, C, R, R] in [-1, 1]."""
        check_conditions("generator", self.conditions, condition)
        with spectral_norms(self):
            first, *rest = latent.chunk(self.pieces, dim=1)
            style = condition if self.embedding is None else self.embedding(condition)
            h = self.linear(first).unflatten(1, (-1, self.bottom, self.bottom))  # [N, width, bottom, bottom]
            h = fast_layout(h)
            for index, (place, block) in enumerate(zip(self.places, self.blocks, strict=True)):
                told = style
                if rest:  # the class and a piece of the latent of the block's own
                    told = rest[index] if style is None else torch.cat([style, rest[index]], 1)
                h = block(h, told)
                h = self.attention[place.name](h) if place.name in self.attention else h
                h = self.adapters.at(place.name, h, noise).map
            return full(self.conv(F.relu(self.norm(h), inplace=True))).tanh().contiguous()
