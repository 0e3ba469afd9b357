"""Styles for images of a training step, some of whose layers get those of another latent (Karras et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.contracts.context import Context
from harness.contracts.networks import StyledGenerator


def mixed_styles(generator: StyledGenerator, latents: Tensor, told: Tensor | None, ctx: Context) -> Tensor:
    """Styles of latents [N, latent_dim], one a layer, [N, n_styles, W].

    As often as ``generator.style_mixing`` says, all layers of a whole batch from a random one on (never the first) get
    the styles of fresh latents. One draw for the whole batch, as in the public StyleGAN2 code.
    """
    styles = generator.styles(latents, told)[:, None].expand(-1, generator.n_styles, -1)  # [N, n_styles, W]
    if not generator.style_mixing or generator.n_styles < 2:
        return styles
    # both numbers are drawn whether or not they are used, so that as much is drawn at every step
    mixes, where = ctx.common() < generator.style_mixing, ctx.common()
    other = ctx.latents(len(latents), latents.shape[1])
    if not mixes:
        return styles
    first = 1 + int(where * (generator.n_styles - 1))
    return torch.cat([styles[:, :first], generator.styles(other, told)[:, None].expand_as(styles)[:, first:]], 1)
