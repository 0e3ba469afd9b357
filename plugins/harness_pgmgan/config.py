"""What PGMGAN can be told; the defaults are those of the authors' CIFAR-10 training, but for mirroring and noise.

Where the paper and the authors' code disagree, or both are silent, the README says what stands here and why.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness import AdamSettings, AdversarialSettings, BackboneChoice, Settings
from harness.contracts import EmaSettings

Views = Literal["natural", "strong", "digits", "none"]


class PretextSettings(Settings):
    """The pretext task: contrastive learning of the partitioner's features (Eq. 4)."""

    steps: int = Field(default=62_500, gt=0)
    """500 epochs of CIFAR-10 at batch 400"""
    batch_size: int = Field(default=400, gt=1)
    lr: float = Field(default=0.4, gt=0)
    """at the first step; falls along half a cosine"""
    final_share: float = Field(default=1e-3, ge=0, le=1)
    """of the learning rate, that is left at the last step"""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=3e-5, ge=0)
    temperature: float = Field(default=0.1, gt=0)
    views: Views = "natural"
    """how images are changed into views of themselves"""


class PartitionSettings(Settings):
    """The partitioner of images and its training on the graph of nearest neighbours (Eq. 5)."""

    steps: int = Field(default=39_000, gt=0)
    """100 epochs of CIFAR-10 at batch 128"""
    batch_size: int = Field(default=128, gt=0)
    adam: AdamSettings = AdamSettings(lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-4)
    """of the partitioner"""
    neighbours: int = Field(default=20, gt=0)
    """K of the graph"""
    items: int | None = Field(default=None, gt=1)
    """training images in the graph, the first so many; none given: all"""
    sample_weight: float = Field(default=1e-3, ge=0)
    """alpha, of the entropy of each image's assignment"""
    mean_weight: float = Field(default=5.0, ge=0)
    """beta, of the entropy of the mean assignment"""
    views: Views = "strong"
    """how both members of a pair are changed"""
    width: int = Field(default=160, gt=0)
    """channels inside the blocks"""
    groups: int = Field(default=5, gt=0)
    """of blocks; each works at half the resolution of the one before"""
    blocks: int = Field(default=4, gt=0)
    """in each group"""
    hidden: int = Field(default=512, gt=0)
    """features that the head of logits sees"""


class PointPartitionSettings(Settings):
    """The partitioner of points in the plane: taught the clusters of k-means."""

    network: Literal["linear", "mlp", "invertible"] = "invertible"
    """W x, an unrestricted network, or W phi(x) with an invertible phi"""
    points: int = Field(default=10_000, gt=1)
    """that are clustered"""
    restarts: int = Field(default=100, gt=0)
    """of k-means, of which the best is kept"""
    steps: int = Field(default=4000, gt=0)
    """2,000 epochs of two batches"""
    batch_size: int = Field(default=5000, gt=0)
    lr: float = Field(default=0.07, gt=0)
    """of Adagrad"""


class GuideSettings(Settings):
    """The guide R and its weight lambda in the generator's loss (Eq. 6 and 8)."""

    weight: float = Field(default=6.0, ge=0)
    """at the first generator update; 0: no guide, which is the paper's Partition GAN"""
    floor: float = Field(default=1e-4, ge=0)
    """below which the weight does not fall"""
    over: int | None = Field(default=50_000, gt=0)
    """generator updates in which the weight falls from its start to 0; none given: it stays"""
    reduce: Literal["mean", "sum"] = "mean"
    """over the partitions; the weight belongs to one of them"""


class PgmganSettings(AdversarialSettings):
    """Settings of a partition-guided mixture of generators."""

    backbone: BackboneChoice = BackboneChoice(name="sngan")
    """the networks, by name, with settings of their own"""
    steps: int = Field(default=62_500, gt=0, le=1_000_000_000)
    """generator updates"""
    batch_size: int = Field(default=100, gt=0, le=1_000_000)
    d_steps: int = Field(default=4, gt=0)
    """discriminator steps a generator step"""
    ema: EmaSettings = EmaSettings(decay=0.0)
    dequantise: bool = False
    """add uniform noise in [0, 1/128) to real images"""
    partitions: int = Field(default=200, gt=1)
    """k"""
    partitioning: Literal["graph", "kmeans", "random"] = "graph"
    """graph: images, by Eq. 5; kmeans: points; random: every image gets another partition whenever it is seen"""
    pretext: PretextSettings = PretextSettings()
    partition: PartitionSettings = PartitionSettings()
    points: PointPartitionSettings = PointPartitionSettings()
    guide: GuideSettings = GuideSettings()
    rejection: Literal["on", "off", "both"] = "both"
    """whether samples outside of their partition are drawn again; both: measured with and without"""
    redraws: int = Field(default=21, gt=0)
    """rounds of redraws, after which the last draw is kept"""
    pretext_from: str | None = None
    """a run folder whose pretext is taken instead of training it"""
    partition_from: str | None = None
    """a run folder whose partitioner is taken instead of training one"""

    @model_validator(mode="after")
    def _fits_together(self) -> PgmganSettings:
        if self.conditional:
            raise ValueError(
                "conditional: this method is told partitions, never labels; choose method 'gan' for labels"
            )
        if self.partitioning == "random" and (self.guide.weight or self.rejection != "off"):
            raise ValueError("partitioning=random has no partitioner: set guide.weight=0 and rejection=off")
        return self
