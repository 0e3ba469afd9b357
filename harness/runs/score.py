"""Measure a trained method and write the run's record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from harness.contracts.capabilities import all_variants
from harness.contracts.method import Method
from harness.contracts.settings import EvaluationSettings
from harness.evaluation import MetricEntry, check_evaluation, evaluate
from harness.evaluation.plan import within_reach
from harness.results.environment import describe_environment
from harness.results.record import build_record, write_record_file
from harness.runs.pictures.save import write_picture
from harness.training.loop import Training
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter, duration


def measure(run: OpenRun, method: Method, checkpoint: str) -> list[MetricEntry]:
    """Evaluate a method as it is, and its variants; pictures are written once all numbers are there.

    :param checkpoint: which state this is, for the subject.
    """
    entries: list[MetricEntry] = []
    pictures: dict[Path, bytes] = {}
    experiment = run.experiment
    for number, (trained, settings) in enumerate(_measured(run, method)):
        folder = run.folder.figures / checkpoint
        place = folder if number == 0 else folder / f"variant-{number + 1}"
        if settings.metrics == ():
            continue
        entries += evaluate(
            trained,
            dataset=run.dataset,
            settings=settings,
            catalog=run.catalog,
            seed=experiment.seed,
            device=run.device,
            subject={"checkpoint": checkpoint},
            replicate={"seed": experiment.seed, "fold": None if experiment.fold is None else str(experiment.fold)},
            figures=_kept_in(pictures, place),
            note=run.reporter.note,
        )
    for path, picture in pictures.items():
        write_picture(path, picture)
    return entries


def check_measurable(run: OpenRun, method: Method) -> list[str]:
    """The ids of the protocols that :func:`measure` would measure a method's main object under.

    :raises EvaluationError: where something asked for cannot be measured, of it or of a variant.
    """
    planned = [
        check_evaluation(trained, dataset=run.dataset, settings=settings, catalog=run.catalog, device=run.device)
        for trained, settings in _measured(run, method)
        if settings.metrics != ()
    ]
    return planned[0] if planned else []


def _measured(run: OpenRun, method: Method) -> Iterator[tuple[object, EvaluationSettings]]:
    """What of a method is measured, each with the settings for it."""
    settings = run.experiment.settings.evaluation
    for number, trained in enumerate(all_variants(method.trained())):
        yield trained, settings if number == 0 else within_reach(trained, settings, run.catalog)


def _kept_in(pictures: dict[Path, bytes], folder: Path) -> Callable[[str, bytes], None]:
    """Takes pictures by their stem, for ``folder/STEM.png``."""

    def keep(stem: str, picture: bytes) -> None:
        pictures[folder / f"{stem}.png"] = picture

    return keep


def timed(reporter: Reporter, measuring: Callable[[], list[MetricEntry]]) -> tuple[list[MetricEntry], float]:
    """What `measuring` finds, and the seconds that it takes."""
    began = time.perf_counter()
    entries = measuring()
    seconds = time.perf_counter() - began
    reporter.note(f"evaluated in {duration(seconds)}")
    return entries, seconds


def write_record(
    run: OpenRun, training: Training, entries: list[MetricEntry], state: str, evaluation_seconds: float
) -> dict[str, Any]:
    """Write results.json for a training."""
    record = build_record(
        experiment=run.experiment.record(),
        recipe=run.experiment.recipe_id,
        data=run.dataset.record(),
        environment=describe_environment(run.device, training.runtime.precision),
        cost=training_cost(training.method, training.facts(), evaluation_seconds),
        entries=entries,
        exit_state=state,
        reused=training.reused,
    )
    write_record_file(run.folder.results, record)
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
