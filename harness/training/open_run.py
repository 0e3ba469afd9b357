"""One run, opened: what a command hands from hand to hand."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.experiment import Experiment
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder


@dataclass(frozen=True)
class OpenRun:
    """An experiment with its data, its folder, and where it computes.

    :param dataset: the experiment's data, made to fit its backbone.
    :param device: where the method lives and feature networks look.
    :param reporter: takes what the user should know on the way.
    :param digest: what the run's checkpoints know their experiment by: that of the record as it was written, which
        may be older than this version.
    """

    catalog: Catalog
    experiment: Experiment
    dataset: LoadedDataset
    folder: RunFolder
    device: torch.device
    reporter: Reporter
    digest: str
