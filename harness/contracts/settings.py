"""Typed settings: what a method can be told.

One flat namespace a method: what every method has (:class:`MethodSettings`) and what its own class adds. Defaults live
here and in the method's class, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Settings(BaseModel):
    """Settings that cannot change once made and refuse keys they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, Mapping) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and field.annotation in (int, float):
                raise ValueError(f"{name} takes a number, not {str(value).lower()}")
        return values


class Named(Settings):
    """A group that may be said as its name alone."""

    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) or value is None else value


class Choice(Named):
    """Something registered, by name, with settings of its own (which its own class checks).

    ``--set KEY=NAME`` picks another and drops the settings of the one before.

    :cvar kind: what of the catalogue is chosen from.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    kind: ClassVar[str]

    @property
    def settings(self) -> dict[str, Any]:
        """What is set beside the name."""
        return dict(self.model_extra or {})


class BackboneChoice(Choice):
    """A backbone: the pair of networks."""

    kind: ClassVar[str] = "model"

    name: str


class AugmentationChoice(Choice):
    """What images go through on their way to the discriminator in training; none named: nothing."""

    kind: ClassVar[str] = "augmentation"


class RegulariserChoice(Choice):
    """What else the discriminator's logits are held to; none named: nothing."""

    kind: ClassVar[str] = "regulariser"


class EmaSettings(Settings):
    """Moving average of the generator's weights, which evaluation uses."""

    decay: float = Field(default=0.9999, ge=0, lt=1)
    """share of the old average kept at each step; 0 turns averaging off"""
    start: int = Field(default=1000, ge=0)
    """step before which the average is a copy"""


#: a decay rate of Adam's averages
Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamSettings(Settings):
    """Adam; weight decay is its coupled L2 unless it is `decoupled`."""

    lr: float = Field(default=2e-4, gt=0)
    betas: tuple[Beta, Beta] = (0.0, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    decoupled: bool = False
    """whether weight decay shrinks weights by themselves, lr times itself a step (AdamW), not through the gradient"""


class PenaltySettings(Named):
    """A gradient penalty on a discriminator."""

    name: str | None = None
    """which penalty; none named: no penalty"""
    weight: float = Field(default=1.0, ge=0)
    every: int = Field(default=1, gt=0)
    """discriminator steps from one penalty to the next; its weight is multiplied by this"""
    own_step: bool = False
    """take it in a step of Adam of its own behind the discriminator's, on fresh fakes, not beside the loss (lazy
    regularisation); Adam's learning rate and betas are then corrected for one step more in `every`"""


class PathLengthSettings(Settings):
    """Path length regularisation of a generator with styles, in steps of Adam of its own."""

    weight: float = Field(default=0.0, ge=0)
    """0: none; the public StyleGAN2 code has 2"""
    every: int = Field(default=4, gt=0)
    """generator steps from one to the next; the weight is multiplied by this, and the generator's Adam corrected"""
    decay: float = Field(default=0.01, gt=0, le=1)
    """share of a step's mean length in the running mean"""
    shrink: int = Field(default=2, gt=0)
    """it looks at a batch divided by this"""


class EvaluationSettings(Settings):
    """What is measured at the end and on the way."""

    metrics: tuple[str, ...] | None = None
    """names of metrics; none named: all that apply to the data and the method"""
    samples: int = Field(default=50_000, gt=0, le=10_000_000)
    """generated samples for distribution metrics (k-NN metrics use at most `neighbours_samples`)"""
    neighbours_samples: int = Field(default=10_000, gt=0)
    """most generated and real items for what grows with their product: precision, recall, density, coverage, ..."""
    split: str = "train"
    """the real split that generated samples are held against; splits joined by + are one, as in train+unlabeled; both:
    one number for train and one for test"""
    real_samples: int | None = Field(default=None, gt=0)
    """most real items of a split that Frechet distances use, drawn once for all runs; none: all"""
    extractors: tuple[str, ...] | None = None
    """feature networks; none named: those of the data set"""
    block: int = Field(default=250, gt=0, le=65_536)
    """images generated at once; part of the protocol, because it can change the last bits"""
    batch_norm: Literal["eval", "train", "standing"] = "eval"
    """statistics that the generator's batch norm uses while sampling"""
    quantise: Literal["round", "truncate", "none"] = "round"
    """how float images become uint8 before a feature network sees them; none: they stay floats, in 0 to 255"""
    pairs: int = Field(default=50_000, gt=0, le=10_000_000)
    """pairs of latents for path lengths and condition numbers"""
    outliers: tuple[str, ...] = ()
    """data sets whose images are outliers, for outlier detection"""
    intensities: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (1.0,)
    """shares of the outlier in a mixture with an image of the data set: 1 is the outlier itself"""
    of: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """settings of single metrics, by the metric's name, as in evaluation.of.METRIC.KEY; only what is set stands here,
    and the metric's other settings keep their defaults"""
    every: int = Field(default=0, ge=0)
    """also evaluate every so many steps (0: only at the end)"""
    best: str | None = None
    """keep the checkpoint that is best by this metric or protocol id, as checkpoints/best.pt (needs `every`)"""

    @property
    def splits(self) -> tuple[str, ...]:
        """The real splits that `split` names."""
        return ("train", "test") if self.split == "both" else (self.split,)


def problem_with_fit(fit: str) -> str | None:
    """What is wrong with a way to make images fit: none, pad, resize, or crop:SIZE."""
    how, _, size = fit.partition(":")
    if how not in ("none", "pad", "resize", "crop") or (how == "crop") != bool(size):
        return "choose none, pad, resize or crop:SIZE"
    if size and (not size.isdigit() or int(size) < 1):
        return f"crop needs a size in pixels, not '{size}'"
    return None


class MethodSettings(Settings):
    """What every method has; a method's own class adds to it."""

    backbone: BackboneChoice = BackboneChoice(name="biggan")
    """the networks, by name, with settings of their own"""
    steps: int = Field(default=100_000, gt=0, le=1_000_000_000)
    """steps of the main stage (one step: one generator update)"""
    batch_size: int = Field(default=64, gt=0, le=1_000_000)
    """real images a discriminator step, over all devices"""
    conditional: bool = False
    """whether the generator is told a class"""
    fit: str = "none"
    """how images that do not fit the backbone are made to: none, pad, resize, or crop:SIZE"""
    flip: bool = False
    """mirror real images left to right at random"""
    augmentation: AugmentationChoice = AugmentationChoice()
    """what every image goes through on its way to the discriminator, by name, with settings of its own"""
    regulariser: RegulariserChoice = RegulariserChoice()
    """what else the discriminator's logits are held to, by name, with settings of its own"""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """arithmetic of the training step"""
    ema: EmaSettings = EmaSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    checkpoint_every: int = Field(default=1000, gt=0)
    """steps between checkpoints"""
    log_every: int = Field(default=100, gt=0)
    """steps between lines of the log"""
    sample_every: int = Field(default=1000, ge=0)
    """steps between sample grids (0: only at the end)"""
    train_split: str = "train"
    """the split that is trained on; several are joined by +, as in train+unlabeled"""
    subset_seed: int = Field(default=0, ge=0)
    """fixes which part of the training data a fraction keeps"""

    @model_validator(mode="after")
    def _fit_is_known(self) -> MethodSettings:
        if problem := problem_with_fit(self.fit):
            raise ValueError(problem)
        if self.evaluation.best is not None and self.evaluation.every == 0:
            raise ValueError("evaluation.best needs evaluation.every (or --evaluate-every)")
        return self


class AdversarialSettings(MethodSettings):
    """What every method has in which a discriminator and a generator play against each other."""

    loss: str = "hinge"
    """adversarial loss, by name"""
    generator_adam: AdamSettings = AdamSettings()
    discriminator_adam: AdamSettings = AdamSettings()
    penalty: PenaltySettings = PenaltySettings()
    """a gradient penalty on the discriminator, by name"""
    path_length: PathLengthSettings = PathLengthSettings()
    """holds the lengths of a styled generator's paths to their mean"""
    accumulate: int = Field(default=1, gt=0)
    """parts that a batch is taken in, one after another, for want of memory; their gradients add up to the whole's"""
    accumulate_statistics: Literal["whole", "part"] = "whole"
    """with several parts, what networks do that take statistics of a batch (batch norm): whole: they are refused; part:
    each part has its own, as in the public BigGAN code, which is another training"""
    passes: Literal["joint", "separate"] = "joint"
    """whether the discriminator sees real and fake images in one pass or each by themselves; they differ where it looks
    at a whole batch (batch norm, minibatch statistics)"""
