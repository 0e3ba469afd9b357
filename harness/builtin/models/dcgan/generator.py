"""dcgan's generator: transposed convolutions that double the resolution."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.dcgan.dcgan_settings import DcganSettings, design
from harness.contracts import AdapterFactory, Generator, Noise, Place
from harness.layers import Adapters, Embedding, check_conditions, fast_layout, full


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
        self.embedding = Embedding(conditions, settings.embedding_dim) if conditions else None
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
        """Latent [N, latent_dim] and a condition to images [N, C, R, R] in [-1, 1]."""
        check_conditions("generator", self.conditions, condition)
        if self.embedding is not None:
            latent = torch.cat([latent, F.normalize(self.embedding(condition))], 1)
        h = fast_layout(self.linear(latent).unflatten(1, (-1, self.bottom, self.bottom)))
        for place, block in zip(self.places, self.blocks, strict=True):
            h = self.adapters.at(place.name, block(h), noise).map
        return full(self.conv(h)).tanh().contiguous()
