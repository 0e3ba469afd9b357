"""Small rivals on data that is at hand, built as the harness builds them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from harness import Context, Stream
from harness.catalog import Catalog
from harness.contracts.stream import LawData
from harness.data import Split, TrainingData, load_dataset
from harness.experiment import resolve
from harness.overrides import merged
from harness.randomness import seed_everything
from harness.training.build import build_method
from harness.training.checkpoints import apply_state, collect_state
from harness.training.runtime import Runtime

#: by data set; no average, so that samples come from what was trained
SMALL: dict[str, dict[str, Any]] = {
    "digits": {"backbone": {"name": "dcgan", "width": 4, "latent_dim": 8, "discriminator": "strided"}, "batch_size": 8},
    "points": {
        "backbone": {"name": "mlp", "generator_width": 16, "discriminator_width": 8, "discriminator_layers": 2},
        "batch_size": 8,
    },
}


class Running(NamedTuple):
    """A method ready to step."""

    method: Any
    ctx: Context
    stream: Stream

    def steps(self, first: int, last: int) -> None:
        """Do steps `first` to `last - 1`, seeded as the loop seeds them."""
        for step in range(first, last):
            self.ctx.step = step
            seed_everything(0, "gan", step)
            self.method.step(self.stream)

    def saved(self) -> dict[str, Any]:
        """All that the method declares, through a file."""
        buffer = io.BytesIO()
        torch.save(collect_state(self.method.state()), buffer)
        buffer.seek(0)
        loaded: dict[str, Any] = torch.load(buffer, weights_only=True)
        return loaded

    def load(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`saved` gave."""
        apply_state(self.method.state(), state, "the test")


Build = Callable[..., Running]


@pytest.fixture
def build(catalog: Catalog) -> Build:
    """Builds one: method, data set, seed of the initial weights, and settings over :data:`SMALL`."""

    def make(
        plugin: str, dataset: str = "digits", recipe: str | None = None, seed: int = 0, **settings: Any
    ) -> Running:
        small = SMALL.get(dataset, SMALL["points"])
        experiment = resolve(
            catalog, plugin=plugin, recipe=recipe, dataset=dataset, overrides=merged(small, settings), seed=seed
        )
        data = load_dataset(catalog, dataset, Path("none"), backbone=experiment.settings.backbone.name)
        method, ctx = build_method(experiment, data.problem(), Runtime(torch.device("cpu")), catalog)
        split = data.training()
        training = TrainingData.of(split, ctx.device) if isinstance(split, Split) else LawData(split, 0, ctx.device)
        stream = Stream(training, experiment.settings.batch_size, (0, "gan"))
        (*_, last) = method.stages()
        assert last.begin is not None
        last.begin()
        return Running(method, ctx, stream)

    return make
