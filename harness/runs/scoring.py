"""Measure a trained method and write the run's record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from harness.capabilities import all_variants
from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.evaluation import MetricEntry, evaluate
from harness.evaluation.plan import within_reach
from harness.experiment import Experiment
from harness.methods import Method
from harness.results.environment import describe_environment
from harness.results.record import build_record, write_record_file
from harness.runs.figures import figures_in
from harness.training.loop import Training
from harness.training.reporting import Reporter, duration
from harness.training.run_folder import RunFolder


def measure(
    method: Method,
    experiment: Experiment,
    dataset: LoadedDataset,
    catalog: Catalog,
    device: Any,
    checkpoint: str,
    folder: RunFolder,
    reporter: Reporter,
) -> list[MetricEntry]:
    """Evaluate a method as it is, and its variants.

    :param checkpoint: which state this is, for the subject.
    :param folder: where figures go.
    """
    entries = []
    for number, trained in enumerate(all_variants(method.trained())):
        figures, settings = folder.figures / checkpoint, experiment.settings.evaluation
        if number > 0:
            settings = within_reach(trained, settings, catalog)
        if settings.metrics == ():
            continue
        entries += evaluate(
            trained,
            dataset=dataset,
            settings=settings,
            catalog=catalog,
            seed=experiment.seed,
            device=device,
            subject={"checkpoint": checkpoint},
            replicate={"seed": experiment.seed, "fold": experiment.fold},
            figures=figures_in(figures if number == 0 else figures / f"variant-{number + 1}"),
            note=reporter.note,
        )
    return entries


def timed(reporter: Reporter, measuring: Callable[[], list[MetricEntry]]) -> tuple[list[MetricEntry], float]:
    """What `measuring` finds, and the seconds that it takes."""
    began = time.perf_counter()
    entries = measuring()
    seconds = time.perf_counter() - began
    reporter.note(f"evaluated in {duration(seconds)}")
    return entries, seconds


def write_record(
    training: Training,
    dataset: LoadedDataset,
    folder: RunFolder,
    entries: list[MetricEntry],
    state: str,
    evaluation_seconds: float,
) -> dict[str, Any]:
    """Write results.json for a training."""
    record = build_record(
        experiment=training.experiment.record(),
        recipe=training.experiment.recipe_id,
        data=dataset.record(),
        environment=describe_environment(training.runtime.device, training.runtime.precision),
        cost=training_cost(training.method, training.facts(), evaluation_seconds),
        entries=entries,
        exit_state=state,
        reused=training.reused,
    )
    write_record_file(folder.results, record)
    return record


def training_cost(method: Method, facts: Mapping[str, Any], evaluation_seconds: float) -> dict[str, Any]:
    """What a run cost, from its checkpoint's facts."""
    seconds, images = facts["seconds"], facts["images"]
    return {
        "parameters": parameter_counts(method),
        "steps": facts["total"],
        "images_seen": images,
        "training_seconds": round(seconds, 3),
        "images_per_second": round(images / seconds, 2) if seconds > 0 else None,
        "evaluation_seconds": round(evaluation_seconds, 3),
        "devices": facts["world"],
    }


def parameter_counts(method: Method) -> dict[str, int]:
    """Parameters of each network in the method's state, by name."""
    return {
        name: sum(parameter.numel() for parameter in value.parameters())
        for name, value in method.state().items()
        if isinstance(value, nn.Module)
    }
