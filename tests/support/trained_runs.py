"""Runs of a few steps, trained to their end, for tests of what is done with a run afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.experiment import resolve
from harness.overrides import merged
from harness.runs.start import RunOptions, train_run
from harness.training.reporting import Reporter

SETTINGS: dict[str, dict[str, Any]] = {
    "ring2d": {"evaluation": {"samples": 200, "block": 100}},
    "digits": {
        "backbone": {"width": 2},
        "evaluation": {"samples": 100, "block": 50, "metrics": ["fd"], "extractors": ["pixels"]},
    },
}


def trained_run(
    catalog: Catalog, folder: Path, dataset: str = "ring2d", *, evaluate: bool = True, **settings: Any
) -> Path:
    """Four steps of a small GAN; the checkpoints of steps 2 and 4 are kept.

    :param dataset: anything of 8x8 grey images, or ring2d.
    :param settings: over those of `SETTINGS`.
    """
    cheap = {"steps": 4, "checkpoint_every": 2, "sample_every": 0} | SETTINGS.get(dataset, SETTINGS["digits"])
    experiment = resolve(catalog, plugin="gan", dataset=dataset, scale="tiny", overrides=dict(merged(cheap, settings)))
    train_run(catalog, experiment, RunOptions(out=folder, device="cpu", evaluate=evaluate), Reporter(quiet=True))
    return folder
