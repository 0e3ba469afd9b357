"""Small trainings of PGMGAN on real digits and on points, through the harness's own loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from opening import CPU, opened

from harness.catalog import Catalog
from harness.experiment import resolve
from harness.overrides import merged
from harness.training.loop import Training
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched

#: seconds on one core, by data set
SMALL: Mapping[str, dict[str, Any]] = {
    "digits": {
        "backbone": {"width": 2, "latent_dim": 8},
        "batch_size": 8,
        "steps": 2,
        "partitions": 6,
        "pretext": {"steps": 2, "batch_size": 16},
        "partition": {
            "steps": 2,
            "batch_size": 16,
            "neighbours": 4,
            "items": 60,
            "width": 8,
            "blocks": 1,
            "hidden": 16,
        },
    },
    "ring2d": {
        "backbone": {"generator_width": 16, "discriminator_width": 8, "discriminator_layers": 2},
        "steps": 2,
        "points": {"points": 400, "restarts": 10, "steps": 400, "batch_size": 200, "network": "linear"},
    },
}

Train = Callable[..., Training]


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Builds a training that has not begun: data set, recipe, and settings over :data:`SMALL` and the tiny scale."""
    from harness.catalog import open_catalog

    catalog: Catalog = open_catalog()

    def build(dataset: str = "digits", recipe: str | None = None, out: Path | None = None, **settings: Any) -> Training:
        experiment = resolve(
            catalog,
            plugin="pgmgan",
            recipe=recipe,
            dataset=dataset,
            scale="tiny",
            overrides=merged({**SMALL[dataset], "checkpoint_every": 100, "sample_every": 0}, settings),
        )
        run = opened(catalog, experiment, out or tmp_path_factory.mktemp("run"))
        return Training(run, Runtime(CPU), Unwatched())

    return build


@pytest.fixture(scope="session")
def train(prepare: Train) -> Train:
    """The same, trained to the end."""

    def build(*arguments: Any, **settings: Any) -> Training:
        training = prepare(*arguments, **settings)
        training.run(resume=False)
        return training

    return build
