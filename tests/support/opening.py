"""A run opened for a test: its folder made, its data beside it, nothing printed."""

from __future__ import annotations

from pathlib import Path

import torch

from harness.catalog import Catalog
from harness.experiment import Experiment
from harness.training.build import open_dataset
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder

CPU = torch.device("cpu")


def opened(catalog: Catalog, experiment: Experiment, path: Path, reporter: Reporter | None = None) -> OpenRun:
    """A new run at `path`, or the one that is there; data that is not embedded is looked for there too."""
    folder = RunFolder(path)
    if not folder.is_run:
        folder.create(experiment.record())
    dataset = open_dataset(catalog, experiment, path)
    return OpenRun(catalog, experiment, dataset, folder, CPU, reporter or Reporter(quiet=True), experiment.digest())
