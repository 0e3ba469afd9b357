"""What a plain GAN can be told; the defaults are BigGAN's settings for CIFAR."""

from __future__ import annotations

from pydantic import Field

from harness.config import AdamSettings, MethodSettings, PenaltySettings


class GanSettings(MethodSettings):
    """Settings of a plain GAN."""

    batch_size: int = Field(default=32, gt=0, le=1_000_000)
    steps: int = Field(default=195_312, gt=0, le=1_000_000_000)
    loss: str = "hinge"
    """adversarial loss, by name"""
    d_steps: int = Field(default=4, gt=0)
    """discriminator steps a generator step"""
    generator_adam: AdamSettings = AdamSettings()
    discriminator_adam: AdamSettings = AdamSettings()
    penalty: PenaltySettings = PenaltySettings()
