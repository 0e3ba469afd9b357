"""What a trained method can do: small Protocols, checked once where a method meets a metric.

``method.trained()`` returns one object with any of these; a metric names the one it needs. The set is open: a plugin's
metric may name a Protocol of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

from harness.errors import EvaluationError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from harness.randomness import Seeds


class Samples(NamedTuple):
    """A block of generated data.

    :ivar images: float [N, C, H, W] in [-1, 1], or points [N, D].
    :ivar conditions: what the generator was told: int64 [N], or [N, L] with L labels at once, or weights of all
        conditions float [N, K]; None where it is told nothing.
    :ivar latents: float [N, ...], what it was fed.
    """

    images: Tensor
    conditions: Tensor | None
    latents: Tensor


class Reconstructions(NamedTuple):
    """Images as the method rebuilds them.

    :ivar images: float [N, C, H, W] in [-1, 1].
    :ivar latents: float [N, ...].
    """

    images: Tensor
    latents: Tensor


@runtime_checkable
class Trained(Protocol):
    """What every trained object says of itself."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks in use, by name; the core sets their modes around every call."""
        ...

    @property
    def subject(self) -> Mapping[str, str]:
        """What of the method is measured, e.g. ``{"weights": "ema"}``."""
        ...


@runtime_checkable
class Varied(Protocol):
    """Is measured in more than one way, e.g. with and without redrawing samples."""

    def variants(self) -> Sequence[object]:
        """What else of the method is measured at the end, each a trained object with a subject of its own."""
        ...


def all_variants(trained: object) -> list[object]:
    """A trained object and its variants."""
    return [trained, *(trained.variants() if isinstance(trained, Varied) else ())]


@runtime_checkable
class Sampler(Protocol):
    """Can sample."""

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        """Draw ``len(seeds)`` samples; conditions in any form of :class:`Samples`, or from the method's own law."""
        ...


@runtime_checkable
class Conditioned(Protocol):
    """Is told a condition: a class, a partition, a learned category."""

    @property
    def n_conditions(self) -> int:
        """How many there are; 0 where it is told nothing."""
        ...


@runtime_checkable
class ToldSeveral(Protocol):
    """Says how many conditions each of its samples is told at once."""

    @property
    def n_labels(self) -> int:
        """At least 1."""
        ...


def conditions_of(trained: object) -> int:
    """How many conditions a sample may be asked for by one number; 0 where it is told none, or several at once."""
    several = isinstance(trained, ToldSeveral) and trained.n_labels > 1
    return trained.n_conditions if isinstance(trained, Conditioned) and not several else 0


@runtime_checkable
class ToldLabels(Protocol):
    """Says whether its conditions are the data set's labels."""

    @property
    def told_labels(self) -> bool:
        """True where condition k means label k; False for partitions, learned categories, or no condition at all."""
        ...


def told_labels(trained: object) -> bool:
    """Whether a trained object says that its conditions are the data set's labels."""
    return isinstance(trained, ToldLabels) and trained.told_labels


@runtime_checkable
class Reconstructor(Protocol):
    """Can rebuild images."""

    def reconstruct(self, images: Tensor) -> Reconstructions:
        """Images [N, C, H, W] in [-1, 1] through encoder and generator."""
        ...


@runtime_checkable
class OutlierScorer(Protocol):
    """Can score outliers."""

    def outlier_scores(self, images: Tensor) -> Mapping[str, Tensor]:
        """Named scores, each [N], higher is more of an outlier."""
        ...


@runtime_checkable
class Calibrated(Protocol):
    """Needs a look at in-distribution images before it scores; :class:`CalibratedOn` says of which split."""

    def calibrate(self, blocks: Iterable[Tensor]) -> None:
        """Look at every image of the split once, in stored order.

        :param blocks: float [B, C, H, W] in [-1, 1] on the device of the evaluation; the last may be smaller. Each is
            made when it is asked for and held by nobody else, so that no set has to fit into memory as floats. They can
            be gone through again, from the start.
        """
        ...


@runtime_checkable
class CalibratedOn(Protocol):
    """Says which split it is calibrated by; what it was trained on where it does not say."""

    @property
    def calibrated_on(self) -> Literal["train", "test"]:
        """ "train": what it was trained on, of the fraction of the run. "test": the test split of its data set."""
        ...


def calibration_split(trained: object) -> Literal["train", "test"] | None:
    """The split that a trained object is calibrated by; None where it needs no calibration.

    :raises EvaluationError: where it names another split.
    """
    if not isinstance(trained, Calibrated):
        return None
    split = trained.calibrated_on if isinstance(trained, CalibratedOn) else "train"
    if split not in ("train", "test"):
        raise EvaluationError(f"the method says calibrated_on = {split!r}; it is 'train' or 'test'")
    return split


@runtime_checkable
class Clusterer(Protocol):
    """Can assign clusters."""

    def assign(self, images: Tensor) -> Tensor:
        """Cluster of each image, int64 [N]."""
        ...


@runtime_checkable
class LatentSpace(Protocol):
    """Can generate from latents that the caller chose."""

    def latents(self, seeds: Seeds) -> Tensor:
        """Latents [N, ...] from the prior."""
        ...

    def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Images [N, C, H, W], which may leave [-1, 1]; the same noise and conditions for the same `noise_seed`."""
        ...


@runtime_checkable
class StyleSpace(Protocol):
    """Has an intermediate latent space between its latents and its images (StyleGAN's W)."""

    def styles(self, latents: Tensor, noise_seed: int) -> Tensor:
        """Latents [N, ...] to intermediate latents [N, ...], without truncation or style mixing.

        `noise_seed` fixes the conditions, where there are any, as in ``generate``.
        """
        ...

    def generate_from_styles(self, styles: Tensor, noise_seed: int) -> Tensor:
        """Images [N, C, H, W], which may leave [-1, 1]; the same noise for the same `noise_seed`."""
        ...


@runtime_checkable
class ScaledLatents(Protocol):
    """Feeds its generator latents times a learned scale."""

    def latent_scale(self) -> Tensor:
        """Scale s of each latent dimension, float [d], positive."""
        ...


@runtime_checkable
class LatentLayers(Protocol):
    """Can show what its first layers make of a latent (the mapping network of a StyleGAN)."""

    def layers(self, latents: Tensor, noise_seed: int) -> Mapping[str, Tensor]:
        """Output of each layer, float [N, F], by name, in order; differentiable.

        `noise_seed` fixes the conditions, where there are any, as in ``generate``.
        """
        ...


@runtime_checkable
class Reporter(Protocol):
    """Has numbers of its own to report, as evidence for metrics: a learned prior, a threshold."""

    def reported(self) -> Mapping[str, float | Tensor]:
        """Numbers by name, each a float or a tensor of any shape, finite once it is trained.

        The names are the same at any time, before training too: that is when it is planned what will be measured.
        """
        ...


#: what a metric's `requires` may say, beside "module:Protocol" for a plugin's own
CAPABILITIES: Mapping[str, type] = {
    "sample": Sampler,
    "reconstruct": Reconstructor,
    "outlier_scores": OutlierScorer,
    "assign": Clusterer,
    "latents": LatentSpace,
    "styles": StyleSpace,
    "latent_scale": ScaledLatents,
    "layers": LatentLayers,
    "reported": Reporter,
}
