"""What an LCSA-GAN can be told; the defaults are the paper's CIFAR-10 values at d' = 512 (Table 12).

Where the paper is silent the README says what stands here and why.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness import AdversarialSettings, Settings
from harness.contracts import Beta


class CoderSettings(Settings):
    """Locality-constrained soft assignment (Table 12). 1 neighbour is hard assignment, all atoms soft assignment."""

    atoms: int = Field(default=1024, gt=0)
    """k, atoms of each block's dictionary"""
    neighbours: int = Field(default=128, gt=0)
    """k', nearest atoms that share a feature's weight"""
    sigma: float = Field(default=1.2, gt=0)
    """spread of the soft assignment"""

    @model_validator(mode="after")
    def _enough_atoms(self) -> CoderSettings:
        if self.neighbours > self.atoms:
            raise ValueError(f"{self.neighbours} neighbours cannot be chosen among {self.atoms} atoms")
        return self


class DictionarySettings(Settings):
    """Dictionary learning: one Adam step a mini-batch, apart from the discriminator's (Alg. 6)."""

    lr: float = Field(default=2e-3, gt=0)
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    in_generator_step: bool = False
    """also learn from the fakes of the generator's step"""


class ControllerSettings(Settings):
    """How beta (mixing) and gamma (proximity) follow the discriminator's overfitting."""

    mode: Literal["adaptive", "fixed"] = "adaptive"
    """fixed: beta stays at beta0 and gamma is delta_gamma * beta0"""
    coupling: Literal["A", "B", "C"] = "A"
    """gamma from beta. A: gamma0 + delta_gamma (beta - beta0), B: gamma0 + delta_gamma beta, C: the larger of
    gamma0 and delta_gamma beta"""
    cadence: Literal["generator", "discriminator"] = "generator"
    """after which steps beta and gamma move"""
    beta0: float = Field(default=0.1, ge=0, le=1)
    gamma0: float = Field(default=0.0, ge=0)
    delta_gamma: float = Field(default=1.2, ge=0)
    delta_beta: float = Field(default=1e-3, ge=0)
    """by how much beta moves each time"""
    eta: float = Field(default=0.5, ge=-1, le=1)
    """threshold of r, the mean sign of the logits of real images, above which beta rises"""
    ema: float = Field(default=0.9, ge=0, lt=1)
    """smoothing of r; 0: none"""


class ProximitySettings(Settings):
    """The term that draws features to their codes, Eq. (4)."""

    reduction: Literal["mean", "sum"] = "mean"
    """over the elements of a block's features"""
    in_generator_loss: bool = False
    stop_gradient: bool = False
    """keep the gradient from passing through the coded features"""


class LCSASettings(AdversarialSettings):
    """Settings of a GAN with dictionaries in its discriminator."""

    conditional: bool = True
    batch_size: int = Field(default=32, gt=0, le=1_000_000)
    steps: int = Field(default=195_312, gt=0, le=1_000_000_000)
    d_steps: int = Field(default=4, gt=0)
    """discriminator steps a generator step"""
    blocks: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)] | None = None
    """discriminator blocks that get a dictionary, counted from 1; none named: every block"""
    mix: Literal["convex", "additive"] = "convex"
    """convex: (1 - beta) X + beta h(X); additive: X + beta h(X)"""
    coder: CoderSettings = CoderSettings()
    dictionary: DictionarySettings = DictionarySettings()
    controller: ControllerSettings = ControllerSettings()
    proximity: ProximitySettings = ProximitySettings()
