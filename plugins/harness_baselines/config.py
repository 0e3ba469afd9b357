"""What the baselines can be told.

The plain GAN's defaults are BigGAN's settings for CIFAR. Those of the rivals are what Liu et al. (CVPR 2020) trained
all of theirs with: batch 64, Adam 1e-4 (0, 0.99), non-saturating loss, no average.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness import AdamSettings, AdversarialSettings, MethodSettings, Settings
from harness.contracts import EmaSettings


class GanSettings(AdversarialSettings):
    """Settings of a plain GAN."""

    batch_size: int = Field(default=32, gt=0, le=1_000_000)
    steps: int = Field(default=195_312, gt=0, le=1_000_000_000)
    d_steps: int = Field(default=4, gt=0)
    """discriminator steps a generator step"""


#: Adam as Liu et al. set it
_RIVAL_ADAM = AdamSettings(lr=1e-4, betas=(0.0, 0.99))


class RivalSettings(AdversarialSettings):
    """What Liu et al. trained every method with. One discriminator step a generator step; nobody is told labels."""

    batch_size: int = Field(default=64, gt=0, le=1_000_000)
    steps: int = Field(default=195_312, gt=0, le=1_000_000_000)
    loss: str = "nsgan"
    """adversarial loss, by name"""
    generator_adam: AdamSettings = _RIVAL_ADAM
    discriminator_adam: AdamSettings = _RIVAL_ADAM
    passes: Literal["joint", "separate"] = "separate"
    """whether the discriminator sees real and fake images in one pass or each by themselves; they differ where it looks
    at a whole batch (batch norm, minibatch statistics)"""
    ema: EmaSettings = EmaSettings(decay=0.0)

    @model_validator(mode="after")
    def _told_no_labels(self) -> RivalSettings:
        if self.conditional:
            raise ValueError("conditional: this method is never told labels; choose method 'gan' for that")
        return self


class PacGanSettings(RivalSettings):
    """Settings of PacGAN."""

    pack: int = Field(default=2, gt=0)
    """m, images that the discriminator sees at once; 1 is a plain GAN"""


class MganSettings(RivalSettings):
    """Settings of MGAN."""

    generators: int = Field(default=10, gt=1)
    """K, generators in the mixture"""
    fakes: int = Field(default=12, gt=1)
    """fake images of each generator in a step"""
    beta: float = Field(default=0.01, ge=0)
    """weight, in the generators' loss, of being told apart"""


class ClusteringSettings(RivalSettings):
    """Settings of a GAN whose conditions are clusters of the training data."""

    clusters: int = Field(default=100, gt=0)
    """k, conditions of both networks"""
    restarts: int = Field(default=10, gt=0)
    """starts of k-means from k-means++, of which the best is kept"""


class SelfCondSettings(ClusteringSettings):
    """Settings of the self-conditioned GAN."""

    recluster_every: int = Field(default=25_000, gt=0)
    """steps from one clustering to the next"""
    clustered: int = Field(default=25_000, gt=0)
    """training images that are clustered, the same ones each time; all where there are fewer"""


class AutoencoderSettings(Settings):
    """The auto-encoder whose codes are clustered."""

    share: float = Field(default=0.2, gt=0)
    """its steps, as a share of the GAN's: 50 epochs where the GAN has 250"""
    adam: AdamSettings = AdamSettings(lr=1e-3, betas=(0.9, 0.999))
    """as it is set by default in most places"""


class LogoGanSettings(ClusteringSettings):
    """Settings of Logo-GAN."""

    features: Literal["autoencoder", "classifier"] = "autoencoder"
    """what is clustered: codes of an auto-encoder trained first, or features of a network trained with labels"""
    autoencoder: AutoencoderSettings = AutoencoderSettings()
    extractor: str = "resnet50"
    """the network for "classifier", by name (harness ls extractors)"""
    components: int = Field(default=128, gt=0)
    """principal components of the network's features that are clustered; all where there are fewer"""
    clusters_from: str | None = None
    """a run folder whose clusters are taken instead of making them"""


class TrainingDataSettings(MethodSettings):
    """Settings of the training data as a method; the backbone decides how images are fitted, and nothing else."""

    steps: int = Field(default=1, gt=0, le=1_000_000_000)
    """of which none does anything"""
