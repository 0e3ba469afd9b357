"""What a method says of images: clusters, outlier scores, reconstructions."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from harness.contracts.capabilities import Samples
from harness.contracts.stream import as_float
from harness.errors import EvaluationError
from harness.evaluation.evidence.base import OfSet, SetEvidence
from harness.evaluation.evidence.calibration import Calibration
from harness.evaluation.evidence.image_sets import GeneratedSet
from harness.evaluation.sampling.batches import batches

if TYPE_CHECKING:
    from harness.evaluation.evidence.base import Bench

#: images that a method looks at at once; the last batch is filled up with zeros, so that no answer depends on the count
ANSWER_BATCH = 250


@dataclass(frozen=True)
class Assignments(OfSet[Tensor]):
    """The cluster of each image of a set, int64 [N]."""

    of: SetEvidence[Any]

    def make(self, bench: Bench) -> Tensor:
        found = []
        for start, images, count in _batches(bench, self.of):
            with bench.asking("assign", start):
                answers = bench.trained.assign(images)
            if answers.shape != (len(images),) or answers.dtype.is_floating_point:
                raise EvaluationError(
                    f"clusters of {len(images)} images are whole numbers of shape ({len(images)},), "
                    f"not {answers.dtype} {tuple(answers.shape)}"
                )
            found.append(answers[:count].cpu())
        return torch.cat(found).long()


@dataclass(frozen=True)
class OutlierScores(OfSet[Mapping[str, Tensor]]):
    """Scores of each image of a set by their names, float64 [N]; higher is more of an outlier."""

    of: SetEvidence[Any]

    def first(self, made: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return {name: scores[:count] for name, scores in made.items()}

    def make(self, bench: Bench) -> Mapping[str, Tensor]:
        bench.get(Calibration())
        found: dict[str, list[Tensor]] = {}
        for start, images, count in _batches(bench, self.of):
            with bench.asking("outlier scores", start):
                answers = bench.trained.outlier_scores(images)
            for name, scores in answers.items():
                if scores.shape != (len(images),):
                    raise EvaluationError(f"score '{name}' of {len(images)} images has shape {tuple(scores.shape)}")
                found.setdefault(name, []).append(scores[:count].detach().double().cpu())
        if not found:
            raise EvaluationError("the method gives no outlier score")
        return {name: torch.cat(parts) for name, parts in found.items()}


class Pair(NamedTuple):
    """A block of images beside what a method made of them.

    :ivar images: float [B, C, H, W] in [-1, 1]; generated ones may leave it where they are not clipped.
    :ivar rebuilt: float [B, C, H, W], clipped to [-1, 1].
    :ivar given: latents that the images were generated from, [B, ...]; None for real images.
    :ivar found: latents that the method found for them, [B, ...].
    """

    images: Tensor
    rebuilt: Tensor
    given: Tensor | None
    found: Tensor


@dataclass(frozen=True)
class Reconstruction(OfSet[Tensor]):
    """How well images are rebuilt: float64 [N, scores], computed block by block without storing an image.

    :param of: real images, or a method's own samples.
    :param scores: functions of a :class:`Pair`, each returns [B]; they stand at the top of a module.
    """

    of: SetEvidence[Any]
    scores: tuple[Callable[[Pair], Tensor], ...]

    def make(self, bench: Bench) -> Tensor:
        rows = []
        for pair in pairs(bench, self.of):
            rows.append(torch.stack([score(pair).detach().double().cpu() for score in self.scores], dim=1))
        return torch.cat(rows)


def pairs(bench: Bench, of: SetEvidence[Any], clip: bool = True) -> Generator[Pair, None, None]:
    """Images of a set beside their reconstructions, block by block, the networks in eval mode.

    :param clip: whether generated images are clipped to [-1, 1], as they would be stored, before they are rebuilt.
    """
    if isinstance(of, GeneratedSet):
        start = 0
        with closing(of.samples(bench)) as parts:
            for samples in parts:  # the last block is filled up again, so that no answer depends on the count
                ((_, images, _),) = batches([samples.images], of.block)
                shown = images.clamp(-1.0, 1.0) if clip else images
                yield _rebuilt(bench, samples._replace(images=shown), start, len(samples.images))
                start += of.block
        return
    for start, images, count in _batches(bench, of):
        yield _rebuilt(bench, Samples(images, None, torch.empty(0)), start, count)


def _rebuilt(bench: Bench, samples: Samples, start: int, count: int) -> Pair:
    images = samples.images
    with bench.asking("reconstruct", start):
        rebuilt, found = bench.trained.reconstruct(images)
    if rebuilt.shape != images.shape:
        raise EvaluationError(f"images of shape {tuple(images.shape)} were rebuilt as {tuple(rebuilt.shape)}")
    given = samples.latents[:count] if samples.latents.numel() else None
    return Pair(images[:count], rebuilt.float().clamp(-1.0, 1.0)[:count], given, found[:count])


def _batches(bench: Bench, of: SetEvidence[Any]) -> Generator[tuple[int, Tensor, int], None, None]:
    """Images of a set as float [ANSWER_BATCH, C, H, W] on the bench's device.

    Beside each, the number of its first image, and how many of them are meant.
    """
    with closing(bench.blocks(of)) as blocks:
        for start, images, held in batches(blocks, ANSWER_BATCH):
            yield start, as_float(images.to(bench.device)), held
