"""What the stand-ins can be told."""

from __future__ import annotations

from harness_baselines.config import GanSettings

from harness import AdamSettings, AdversarialSettings, MethodSettings, Settings
from harness.contracts import AugmentationChoice, EmaSettings


class StandInSettings(AdversarialSettings):
    """Settings of stand-ins with two networks that play against each other."""

    loss: str = "nsgan"
    generator_adam: AdamSettings = AdamSettings(lr=1e-2, betas=(0.0, 0.99))
    discriminator_adam: AdamSettings = AdamSettings(lr=1e-2, betas=(0.0, 0.99))
    ema: EmaSettings = EmaSettings(decay=0.5, start=1)


class EncoderSettings(StandInSettings):
    """Settings of `encoder`."""

    decay: float = 0.75
    """share of the old second moment that is kept at each step"""


class LearnedPriorSettings(StandInSettings):
    """Settings of `learned-prior`."""

    categories: int = 4
    temperature: float = 0.5
    prior_adam: AdamSettings = AdamSettings(lr=1e-1)


class CodebookSettings(StandInSettings):
    """Settings of `codebook`."""

    loss: str = "selected-logit"
    n_labels: int = 2
    values: int = 3
    decay: float = 0.75


class AnchorsSettings(StandInSettings):
    """Settings of `anchors`."""

    width: float = 0.5
    """of the kernel"""


class SecondStage(Settings):
    """A stage of its own."""

    steps: int = 3
    adam: AdamSettings = AdamSettings(lr=1e-2, decoupled=True)


class EncoderAfterSettings(GanSettings):
    """Settings of `encoder-after`."""

    encoder: SecondStage = SecondStage()


class ConsistencySettings(StandInSettings):
    """Settings of `consistency`."""

    consistency: AugmentationChoice = AugmentationChoice(name="diffaugment")
    """what the discriminator is to see no difference through"""
    weight: float = 10.0


class SupervisedSettings(MethodSettings):
    """Settings of stand-ins with one loss."""

    adam: AdamSettings = AdamSettings(lr=1e-2, weight_decay=1e-2, decoupled=True)


class EnergySettings(SupervisedSettings):
    """Settings of `energy`."""

    quantile: float = 0.9
    """share of feature values that are left as they are"""
