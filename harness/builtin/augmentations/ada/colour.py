"""Colour transforms as 4 x 4 maps of (red, green, blue, 1).

The grey axis is (1, 1, 1) / sqrt(3); its component of a colour is the luminance that the transforms keep or change.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _map(linear: Tensor, offset: Tensor | None = None) -> Tensor:
    """[N, 3, 3] and, beside it, [N] for every channel, to [N, 4, 4]."""
    maps = torch.eye(4, device=linear.device).repeat(len(linear), 1, 1)
    maps[:, :3, :3] = linear
    if offset is not None:
        maps[:, :3, 3] = offset[:, None]
    return maps


def _identity(like: Tensor) -> Tensor:
    return torch.eye(3, device=like.device).expand(len(like), 3, 3)


def _grey(like: Tensor) -> Tensor:
    """The projection on the grey axis, v v^T; [3, 3]."""
    return torch.full((3, 3), 1 / 3, device=like.device)


def brightness(amount: Tensor) -> Tensor:
    """Adds `amount` to every channel; [N] to [N, 4, 4]."""
    return _map(_identity(amount), amount)


def contrast(factor: Tensor) -> Tensor:
    """Multiplies every channel; [N] to [N, 4, 4]."""
    return _map(_identity(factor) * factor[:, None, None])


def luma_flip(flipped: Tensor) -> Tensor:
    """Mirrors colours at the plane through 0 across the grey axis where `flipped` is 1, not where it is 0.

    I - 2 v v^T; [N] to [N, 4, 4].
    """
    return _map(_identity(flipped) - 2 * flipped[:, None, None] * _grey(flipped))


def hue(angle: Tensor) -> Tensor:
    """Turns colours about the grey axis, from red towards green, by radians; [N] to [N, 4, 4]."""
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    eye = torch.eye(3, device=angle.device)
    cross = (eye.roll(1, 0) - eye.roll(-1, 0)) / math.sqrt(3)  # v x, the cross product with the axis
    return _map(c * eye + s * cross + (1 - c) * _grey(angle))  # Rodrigues' formula


def saturation(factor: Tensor) -> Tensor:
    """Multiplies what is orthogonal to the grey axis; [N] to [N, 4, 4]."""
    grey = _grey(factor)
    return _map(grey + factor[:, None, None] * (_identity(factor) - grey))


def recolour(images: Tensor, maps: Tensor) -> Tensor:
    """Images through colour maps; [N, C, H, W] with 1 or 3 channels and [N, 4, 4] to [N, C, H, W].

    A grey image is one with three equal channels, and the mean of the three that come out is kept.
    """
    linear, offset = maps[:, :3, :3], maps[:, :3, 3:]
    if images.shape[1] == 1:
        linear, offset = linear.mean(1, keepdim=True).sum(2, keepdim=True), offset.mean(1, keepdim=True)
    return (linear @ images.flatten(2) + offset).view(images.shape)
