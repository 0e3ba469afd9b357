"""dcgan: plain stacks of convolutions (Radford et al., ICLR 2016), as in the public code of Liu et al. (CVPR 2020).

Initial values are torch's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.dcgan_settings import DcganSettings, Layer, design
from harness.builtin.models.heads import Heads, check_conditions, check_discriminator, check_generator, full
from harness.builtin.models.spectral import fast_layout
from harness.networks import AdapterFactory, Adapters, Critique, Discriminator, Generator, Noise, Place


class DcganGenerator(Generator):
    """Linear to a small map, transposed convolutions with batch norm and ReLU, then a convolution and tanh.

    The condition is a unit-norm embedding beside the latent; nothing follows the linear map.
    """

    def __init__(
        self, settings: DcganSettings, shape: tuple[int, ...], conditions: int, adapters: AdapterFactory | None
    ) -> None:
        super().__init__()
        plan = design(settings, shape)
        self.latent_dim, self.conditions, self.bottom = settings.latent_dim, conditions, plan.bottom
        inputs = settings.latent_dim + (settings.embedding_dim if conditions else 0)
        self.embedding = nn.Embedding(conditions, settings.embedding_dim) if conditions else None
        self.linear = nn.Linear(inputs, plan.generator[0] * plan.bottom**2)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
            )
            for before, after in pairwise(plan.generator)
        )
        self.conv = nn.Conv2d(plan.generator[-1], plan.channels, 3, padding=1)
        self.places = tuple(
            Place("generator", "block", index, width, plan.bottom * 2**index)
            for index, width in enumerate(plan.generator[1:], 1)
        )
        self.adapters = Adapters(self.places, adapters)

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and condition int64 [N] to images [N, C, R, R] in [-1, 1]."""
        check_conditions("generator", self.conditions, condition)
        if self.embedding is not None:
            latent = torch.cat([latent, F.normalize(self.embedding(condition))], 1)
        h = fast_layout(self.linear(latent).unflatten(1, (-1, self.bottom, self.bottom)))
        for place, block in zip(self.places, self.blocks, strict=True):
            h = self.adapters.at(place.name, block(h), noise).map
        return full(self.conv(h)).tanh().contiguous()


class DcganDiscriminator(Discriminator):
    """Convolutions with leaky ReLU, then linear heads on the flattened last map."""

    def __init__(
        self,
        settings: DcganSettings,
        shape: tuple[int, ...],
        conditions: int,
        outputs: int,
        heads: Mapping[str, int],
        pack: int,
        adapters: AdapterFactory | None,
    ) -> None:
        super().__init__()
        plan = design(settings, shape, pack)
        strided = settings.discriminator == "strided"
        self.blocks = nn.ModuleList(
            _block(layer, batch_norm=strided, slope=0.2 if strided else 0.1) for layer in plan.discriminator
        )
        side, places = plan.resolution, []
        for index, layer in enumerate(plan.discriminator, 1):
            side = side // 2 if layer.halves else side
            places.append(Place("discriminator", "block", index, layer.outputs, side))
        self.feature_dim = plan.discriminator[-1].outputs * plan.feature_side**2
        self.heads = Heads(self.feature_dim, conditions, outputs, heads, None, settings.conditioning)
        self.places = tuple(places)
        self.adapters = Adapters(self.places, adapters)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        """Images [N, C * pack, R, R] in [-1, 1] and condition int64 [N] to a critique."""
        h, maps, notes = self.adapters.after_each(self.places, self.blocks, fast_layout(images))
        critique: Critique = self.heads(full(h).flatten(1), condition)
        critique.maps, critique.notes = maps, notes
        return critique


def _block(layer: Layer, *, batch_norm: bool, slope: float) -> nn.Module:
    """[N, inputs, R, R] to [N, outputs, R, R], or R / 2 where the layer halves."""
    kernel, stride = (4, 2) if layer.halves else (3, 1)
    norm = [nn.BatchNorm2d(layer.outputs)] if batch_norm else []
    conv = nn.Conv2d(layer.inputs, layer.outputs, kernel, stride=stride, padding=1)
    return nn.Sequential(conv, *norm, nn.LeakyReLU(slope, inplace=True))


class Dcgan:
    """Builds the two networks for images of one shape."""

    def __init__(self, settings: DcganSettings, shape: tuple[int, ...]) -> None:
        self.settings = settings
        self.shape = shape

    @property
    def latent_dim(self) -> int:
        """Size of the latent of its generators."""
        return self.settings.latent_dim

    def generator(self, *, conditions: int = 0, adapters: AdapterFactory | None = None) -> DcganGenerator:
        """A generator that is told one of `conditions` (0: nothing) beside the latent."""
        check_generator(conditions)
        return DcganGenerator(self.settings, self.shape, conditions, adapters)

    def discriminator(
        self,
        *,
        conditions: int = 0,
        outputs: int = 1,
        heads: Mapping[str, int] | None = None,
        pack: int = 1,
        adapters: AdapterFactory | None = None,
    ) -> DcganDiscriminator:
        """A discriminator; see :meth:`harness.networks.Backbone.discriminator`."""
        check_discriminator(conditions, outputs, heads or {}, pack)
        return DcganDiscriminator(self.settings, self.shape, conditions, outputs, heads or {}, pack, adapters)


def build(settings: DcganSettings, shape: tuple[int, ...]) -> Dcgan:
    """The backbone for images of this shape (C, H, W), with 8, 16, 32, 48 or 64 pixels a side.

    :raises SettingsError: for other shapes.
    """
    design(settings, shape)
    return Dcgan(settings, shape)
