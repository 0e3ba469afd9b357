"""A toy run that trains in well under a second."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import torch

from harness.catalog import Catalog
from harness.experiment import resolve
from harness.plugins import Plugins
from harness.training.build import open_dataset
from harness.training.devices import Runtime
from harness.training.loop import Training
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder
from harness.training.watching import Unwatched


@pytest.fixture(scope="session")
def toy_catalog() -> Catalog:
    """Everything that is installed, and the toy."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    toy = EntryPoint(name="toy", value="toy_methods", group="harness")
    plugins = Plugins(found=[*entry_points(group="harness"), toy])
    assert next(p for p in plugins.plugins if p.name == "toy").error is None
    return Catalog(plugins)


@pytest.fixture
def make_training(toy_catalog: Catalog, tmp_path: Path):
    """Build the toy's training in a folder of its own."""

    def make(name: str = "run", watch=None, reporter=None, **overrides) -> Training:
        experiment = resolve(toy_catalog, plugin="toy", dataset="ring2d", overrides=overrides)
        folder = RunFolder(tmp_path / name)
        if not folder.is_run:
            folder.create(experiment.record())
        dataset = open_dataset(toy_catalog, experiment, tmp_path)
        return Training(
            experiment,
            dataset,
            folder,
            toy_catalog,
            Runtime(torch.device("cpu")),
            reporter or Reporter(quiet=True),
            watch or Unwatched(),
        )

    return make
