"""Small biggan networks for tests."""

from __future__ import annotations

import torch
from torch import nn

from harness.builtin.models.residual.biggan import build
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.contracts.networks import Adapted

#: one condition each for a batch of three
CONDITION = torch.tensor([0, 2, 1])

RESOLUTIONS = (8, 16, 32, 64, 128)


def backbone(resolution: int = 8, channels: int = 1, **settings):
    return build(BigGANSettings(**{"width": 4, **settings}), (channels, resolution, resolution))


def pair(resolution: int = 8, conditions: int = 3, seed: int = 0, adapters=None, **settings):
    torch.manual_seed(seed)
    built = backbone(resolution, **settings)
    generator = built.generator(conditions=conditions, adapters=adapters)
    return generator, built.discriminator(conditions=conditions, adapters=adapters)


class Echo(nn.Module):
    """Passes features on and remembers them."""

    def __init__(self, place) -> None:
        super().__init__()
        self.place, self.seen = place, None
        self.weight = nn.Parameter(torch.randn(place.width))

    def forward(self, features, noise=None):
        self.seen = features
        return Adapted(features + 0 * self.weight[:, None, None], note=self.place.name)


def count(*networks) -> int:
    """Parameters of networks."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
