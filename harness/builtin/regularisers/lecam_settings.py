"""What the LeCam regulariser can be told."""

from __future__ import annotations

from pydantic import Field

from harness import Settings


class LecamSettings(Settings):
    """Settings of the LeCam regulariser, Tseng et al. (CVPR 2021); defaults are the authors' for BigGAN on CIFAR."""

    weight: float = Field(default=0.3, ge=0)
    """factor of the term in the discriminator's loss (the authors' StyleGAN2: 3e-7 at 256 pixels, 1e-6 on CIFAR)"""
    decay: float = Field(default=0.9, ge=0, lt=1)
    """share of the old average kept at each step (0.9: the authors' BigGAN; 0.99: StudioGAN, the authors' StyleGAN2)"""
    start: int = Field(default=1000, ge=0)
    """step before which the averages are copies of the batch's means; the term applies at the steps after it, so first
    at start + 1"""
