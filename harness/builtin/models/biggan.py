"""biggan: the residual networks of Brock et al. (ICLR 2019) as in their public PyTorch code.

Which width stands where is in :mod:`harness.builtin.models.biggan_settings`; attention is off by default. Convolutions
are merged with resampling (:class:`harness.builtin.models.spectral.Conv`), so results equal the public networks' up to
rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.biggan_blocks import (
    Attention,
    DiscriminatorBlock,
    GeneratorBlock,
    PlainBatchNorm,
    batch_norm,
)
from harness.builtin.models.biggan_settings import BigGANSettings, Design, Init, design
from harness.builtin.models.heads import (
    Conditioning,
    Heads,
    check_conditions,
    check_discriminator,
    check_generator,
    full,
)
from harness.builtin.models.spectral import Conv, Linear, fast_layout
from harness.networks import AdapterFactory, Adapters, Critique, Discriminator, Generator, Noise, Place


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

        self.embedding = nn.Embedding(conditions, embedding_dim) if embedding_dim else None
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
        """Latent [N, latent_dim] and condition int64 [N] to images [N, C, R, R] in [-1, 1]."""
        check_conditions("generator", self.conditions, condition)
        first, *rest = latent.chunk(self.pieces, dim=1)
        style = condition if self.embedding is None else self.embedding(condition)
        h = fast_layout(self.linear(first).unflatten(1, (-1, self.bottom, self.bottom)))  # [N, width, bottom, bottom]
        for index, (place, block) in enumerate(zip(self.places, self.blocks, strict=True)):
            told = style
            if rest:  # the class and a piece of the latent of the block's own
                told = rest[index] if style is None else torch.cat([style, rest[index]], 1)
            h = block(h, told)
            h = self.attention[place.name](h) if place.name in self.attention else h
            h = self.adapters.at(place.name, h, noise).map
        return full(self.conv(F.relu(self.norm(h), inplace=True))).tanh().contiguous()


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
        """Images [N, C * pack, R, R] in [-1, 1] and condition int64 [N] to a critique."""
        blocks = [
            nn.Sequential(block, self.attention[place.name]) if place.name in self.attention else block
            for place, block in zip(self.places, self.blocks, strict=True)
        ]
        h, maps, notes = self.adapters.after_each(self.places, blocks, fast_layout(images))
        critique: Critique = self.heads(full(F.relu(h)).sum((2, 3)), condition)
        critique.maps, critique.notes = maps, notes
        return critique


def initialise(network: nn.Module, how: Init) -> None:
    """Weights of all convolutions, linear maps and embeddings; biases keep torch's own initial values."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            if how == "orthogonal":
                nn.init.orthogonal_(module.weight)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02)


class BigGAN:
    """Builds the two networks for one design."""

    def __init__(self, plan: Design) -> None:
        self.plan = plan

    @property
    def latent_dim(self) -> int:
        """Size of the latent of its generators."""
        return self.plan.latent_dim

    def generator(self, *, conditions: int = 0, adapters: AdapterFactory | None = None) -> BigGANGenerator:
        """A generator that is told one of `conditions` (0: nothing) by its batch norms."""
        check_generator(conditions)
        return BigGANGenerator(self.plan, conditions, adapters)

    def discriminator(
        self,
        *,
        conditions: int = 0,
        outputs: int = 1,
        heads: Mapping[str, int] | None = None,
        pack: int = 1,
        adapters: AdapterFactory | None = None,
    ) -> BigGANDiscriminator:
        """A discriminator; see :meth:`harness.networks.Backbone.discriminator`."""
        check_discriminator(conditions, outputs, heads or {}, pack)
        return BigGANDiscriminator(self.plan, conditions, outputs, heads or {}, pack, adapters)


def build(settings: BigGANSettings, shape: tuple[int, ...]) -> BigGAN:
    """The backbone for images of this shape (C, H, W)."""
    return BigGAN(design(settings, shape))
