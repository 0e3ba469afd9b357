"""What a plain GAN can be told; the defaults are BigGAN's settings for CIFAR."""

from __future__ import annotations

from pydantic import Field

from harness.config import MethodSettings, Settings


class AdamSettings(Settings):
    """Plain Adam; weight decay is its coupled L2."""

    lr: float = Field(default=2e-4, gt=0)
    betas: tuple[float, float] = (0.0, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)


class PenaltySettings(Settings):
    """A gradient penalty on the discriminator."""

    name: str | None = None
    """which penalty; none named: no penalty"""
    weight: float = Field(default=1.0, ge=0)
    every: int = Field(default=1, gt=0)
    """discriminator steps from one penalty to the next; its weight is multiplied by this"""


class GanSettings(MethodSettings):
    """Settings of a plain GAN."""

    batch_size: int = Field(default=32, gt=0)
    steps: int = Field(default=195_312, gt=0)
    loss: str = "hinge"
    """adversarial loss, by name"""
    d_steps: int = Field(default=4, gt=0)
    """discriminator steps a generator step"""
    generator_adam: AdamSettings = AdamSettings()
    discriminator_adam: AdamSettings = AdamSettings()
    penalty: PenaltySettings = PenaltySettings()
