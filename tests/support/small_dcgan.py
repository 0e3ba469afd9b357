"""Small dcgan networks for tests, and their layers written out plainly."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import DcganSettings

#: both kinds of discriminator
DESIGNS = ("alternating", "strided")


def pair(side: int = 8, conditions: int = 3, adapters=None, channels: int = 1, **settings):
    torch.manual_seed(0)
    small = {"width": 2, "latent_dim": 6, "embedding_dim": 5}
    built = build(DcganSettings(**{**small, **settings}), (channels, side, side))
    generator = built.generator(conditions=conditions, adapters=adapters)
    return generator, built.discriminator(conditions=conditions, adapters=adapters)


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """Parameters of a convolution."""
    return inputs * outputs * kernel**2 + outputs


def normalised(h, norm):
    """Batch norm with the statistics of the batch, written out."""
    mean, variance = h.mean((0, 2, 3), keepdim=True), h.var((0, 2, 3), keepdim=True, unbiased=False)
    h = (h - mean) / (variance + 1e-5).sqrt()
    return h * norm.weight[:, None, None] + norm.bias[:, None, None]


def convolved(h, layer, stride):
    """A convolution as a sum over the pixels under its kernel."""
    size = layer.weight.shape[-1]
    columns = F.unfold(h, size, padding=1, stride=stride)  # [N, inputs * size * size, pixels]
    side = (h.shape[-1] + 2 - size) // stride + 1
    return (layer.weight.flatten(1) @ columns).unflatten(2, (side, side)) + layer.bias[:, None, None]
