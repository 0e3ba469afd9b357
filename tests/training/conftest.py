"""A toy run that trains in well under a second."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import torch
from opening import CPU, opened

from harness.catalog import Catalog
from harness.experiment import resolve
from harness.plugins import Plugins
from harness.training.loop import Training
from harness.training.runtime import Runtime
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
        run = opened(toy_catalog, experiment, tmp_path / name, reporter)
        return Training(run, Runtime(CPU), watch or Unwatched())

    return make
