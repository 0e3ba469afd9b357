"""Small LCSA-GANs on real digits, built as the harness builds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from harness_lcsa.method import LCSAGan

from harness import Context, Stream
from harness.catalog import Catalog
from harness.data import Split, TrainingData, load_dataset
from harness.experiment import resolve
from harness.overrides import merged
from harness.randomness import seed_everything
from harness.training.build import build_method
from harness.training.runtime import Runtime

SMALL = {
    "backbone": {"width": 4, "latent_dim": 8},
    "coder": {"atoms": 24, "neighbours": 6},
    "batch_size": 8,
    "d_steps": 2,
    "ema": {"decay": 0.5, "start": 0},
}


class Running(NamedTuple):
    """A method ready to step."""

    method: LCSAGan
    ctx: Context
    stream: Stream

    def steps(self, first: int, last: int) -> None:
        """Do steps `first` to `last - 1`, seeded as the loop seeds them."""
        for step in range(first, last):
            self.ctx.step = step
            seed_everything(0, "gan", step)
            self.method.step(self.stream)


Make = Callable[..., Running]


@pytest.fixture
def make(catalog: Catalog) -> Make:
    """Builds one: plugin's name, data set, seed of the initial weights, and settings over :data:`SMALL`."""

    def build(
        plugin: str = "lcsa", dataset: str = "digits", seed: int = 0, small: Mapping[str, Any] = SMALL, **settings: Any
    ) -> Running:
        known = {key: value for key, value in small.items() if plugin == "lcsa" or key != "coder"}
        experiment = resolve(
            catalog, plugin=plugin, dataset=dataset, scale="paper", overrides=merged(known, settings), seed=seed
        )
        data = load_dataset(catalog, dataset, Path("none"), backbone=experiment.settings.backbone.name)
        method, ctx = build_method(experiment, data.problem(), Runtime(torch.device("cpu")), catalog)
        split = data.training()
        assert isinstance(split, Split)
        stream = Stream(TrainingData.of(split, ctx.device), experiment.settings.batch_size, (0, "gan"))
        stage = method.stages()[0]
        assert stage.begin is not None
        stage.begin()
        return Running(method, ctx, stream)  # type: ignore[arg-type]

    return build
