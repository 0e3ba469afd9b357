"""Trainings of a few steps on the CPU, whole or step by step, for what holds of every method."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from opening import opened
from short_runs import SHORT, dataset_for, short_stages
from torch import Tensor

from harness.catalog import Catalog
from harness.contracts import Stream
from harness.experiment import resolve
from harness.training.loop import Training
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched, Watch

CPU = Runtime(torch.device("cpu"))

#: items of a batch
BATCH: int = SHORT["batch_size"]

#: a training by the name of its recipe, and settings of it
Make = Callable[..., Training]


def training_of(
    catalog: Catalog, recipe: str, path: Path, watch: Watch | None = None, runtime: Runtime = CPU, **overrides: Any
) -> Training:
    """Three steps of each stage of a recipe, on data that is always at hand."""
    dataset = dataset_for(catalog, recipe)
    given = SHORT | short_stages(catalog, recipe, dataset) | overrides
    experiment = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale="tiny", overrides=given)
    return Training(opened(catalog, experiment, path), runtime, watch or Unwatched())


def ready(training: Training, number: int = 0) -> Stream:
    """A stage, by its number, ready for its first step, whose draws come next; its stream."""
    stage = training.stages[number]
    training.ctx.stage, training.ctx.step = stage.name, 0
    stream = training._stream(stage, stage.data(training.data) if stage.data else training.data)  # type: ignore[arg-type]
    if stage.begin:
        stage.begin()
    training._seed(stage, 0)
    return stream


def noted(training: Training) -> dict[str, Any]:
    """The losses that the method minimises from now on, by name; nothing else of `minimize` changes."""
    losses: dict[str, Any] = {}
    minimize = training.ctx.minimize

    def and_note(*, reach_all: bool = False, **pairs: Any) -> None:
        losses.update({name: loss for name, (loss, _) in pairs.items()})
        minimize(reach_all=reach_all, **pairs)

    training.ctx.minimize = and_note  # type: ignore[method-assign]
    return losses


def trained(training: Training) -> Any:
    """What the method is when the training has run, its networks in eval mode."""
    training.run(resume=False)
    found: Any = training.method.trained()
    for network in found.networks.values():
        network.eval()
    return found


def real_images(training: Training, n: int) -> Tensor:
    """The first n items of the training data."""
    return training.data.at(torch.arange(n)).images
