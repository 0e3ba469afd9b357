"""Latent spaces that images are made from: z, the generator's own, and w, its styles (Karras et al. 2019).

Measures of smoothness divide the difference of two images by a tiny step between their latents. Nothing else may differ
between the two: they get the same noise and conditions, nothing is rounded to 8 bits, and batch norm must not look at
the block. N: pairs, B: pairs of a block.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation import BatchNormMode, Bench, Counted, Inapplicable, MetricContext, Term, sampling_mode
from harness.randomness import Seeds, derived_seed, seed_everything

Space = Literal["z", "w"]

#: images of the same latents may differ by this much at most: what is left after division by the step is then small
SAME = 1e-6


def points(bench: Bench, space: Space, purpose: str, numbers: Iterable[int], noise_seed: int) -> Tensor:
    """Points [B, ...] of a space: latents from the prior, or the styles that they become.

    :param purpose: other words give other points.
    :param numbers: one for each latent, which it hangs on alone.
    :param noise_seed: that of the images which are made of them: styles hang on conditions, where there are any.
    """
    latents: Tensor = bench.trained.latents(Seeds(derived_seed(purpose, bench.seed), numbers))
    return latents if space == "z" else bench.trained.styles(latents, noise_seed)


def twins_noise(bench: Bench, numbers: range) -> int:
    """The noise seed of a block of pairs: noise and conditions of both images of each."""
    return derived_seed("twins", bench.seed, numbers.start)


def images_at(trained: Any, space: Space, at: Tensor, noise_seed: int) -> Tensor:
    """Images float32 [B, C, H, W] of points [B, ...], differentiable by them.

    :raises EvaluationError: where the method does not return one image a point.
    """
    # a method draws from the seed it is handed; one that touches a global generator is still repeatable
    seed_everything("noise", noise_seed)
    generate = trained.generate if space == "z" else trained.generate_from_styles
    images: Tensor = generate(at, noise_seed)
    if len(images) != len(at):
        raise EvaluationError(f"the method was asked for the images of {len(at)} latents and returned {len(images)}")
    return images.float()


@dataclass(frozen=True)
class Twins(Counted[Tensor]):
    """Numbers of pairs of images whose points are close together: float64 [N, K].

    Pair i hangs on the run's seed, on i and, through noise and conditions, on its place in its block: always whole
    blocks are made, and what goes beyond the count is cut off.

    :param block: pairs made at once.
    :param batch_norm: statistics that the generator's batch norm uses.
    """

    space: Space
    count: int
    block: int
    batch_norm: BatchNormMode

    @abstractmethod
    def ends(self, bench: Bench, numbers: range) -> tuple[Tensor, Tensor]:
        """Both points of each pair, [B, ...] each."""

    @abstractmethod
    def measured(self, bench: Bench, points: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor]) -> Tensor:
        """The numbers of each pair, [B, K], from its points [B, ...] and images [B, C, H, W]."""

    def items(self) -> int:
        return self.count

    def resized(self, count: int) -> Self:
        return replace(self, count=count)

    def make(self, bench: Bench) -> Tensor:
        """:raises EvaluationError: where images are not finite, or not the same for the same latents."""
        mode = sampling_mode(bench.trained, seed=bench.seed, block=self.block, batch_norm=self.batch_norm)
        with mode, torch.no_grad():
            rows = [self._block(bench, start) for start in range(0, self.count, self.block)]
        return torch.cat(rows)[: self.count]

    def _block(self, bench: Bench, start: int) -> Tensor:
        numbers = range(start, start + self.block)
        noise_seed = twins_noise(bench, numbers)
        first, second = self.ends(bench, numbers)
        images = images_at(bench.trained, self.space, first, noise_seed)
        if start == 0:
            _check_repeats(images, images_at(bench.trained, self.space, first, noise_seed))
        twins = images_at(bench.trained, self.space, second, noise_seed)
        if not bool(torch.isfinite(images).all() and torch.isfinite(twins).all()):
            raise EvaluationError(
                f"the generator made NaN or infinite values in pairs {start} to {start + self.block - 1}",
                "evaluate an earlier checkpoint",
            )
        return self.measured(bench, (first, second), (images, twins)).double().cpu()


def _check_repeats(once: Tensor, again: Tensor) -> None:
    away = float((once - again).abs().max())
    if away > SAME:
        raise EvaluationError(
            f"the same latents and noise seed gave images that differ by {away:.2g}, so no small step can be measured",
            "make all randomness of the method's `generate` depend on `noise_seed`",
        )


def steady_batch_norm(context: MetricContext) -> BatchNormMode:
    """The settings' batch norm.

    :raises Inapplicable: where it uses the statistics of the block, so that an image has no latent of its own.
    """
    if context.settings.batch_norm == "train":
        raise Inapplicable("with evaluation.batch_norm=train an image depends on the others in its block")
    return context.settings.batch_norm


def spaces(context: MetricContext) -> tuple[Space, ...]:
    """The spaces that the trained method has."""
    return ("z", "w") if context.can("styles") else ("z",)


def made_terms(block: int, batch_norm: BatchNormMode) -> tuple[Term, ...]:
    """For the protocol: how images of chosen latents were made."""
    return (
        Term("quantise", "none", "float32"),
        Term("block", block, f"block{block}"),
        Term("batch_norm", batch_norm, f"bn-{batch_norm}"),
    )


def twins_terms(twins: Twins) -> tuple[Term, ...]:
    """For the protocol: how many pairs, and how their images were made."""
    return (
        Term("pairs", twins.count, f"{twins.count}pairs"),
        Term("noise", "shared in a pair"),
        *made_terms(twins.block, twins.batch_norm),
    )
