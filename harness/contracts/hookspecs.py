"""Every hook, in the order of a run.

A plugin is a module with functions marked ``@harness.hookimpl`` under the entry-point group ``harness``.

Registering hooks receive a `register` callback and may call it any number of times, once for each spec. They must be
cheap: no torch, no files, no network; code is named by "module:attribute" strings. Their return value is ignored.
Each plugin's hooks are called apart from the others', so one that raises takes nothing else down.

Watching hooks are called for every plugin; all run, results are ignored, and an exception in one is reported once and
does not stop the run. Implementations may take any subset of the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from harness.contracts.specs import (
        AugmentationSpec,
        DatasetSpec,
        ExtractorSpec,
        LossSpec,
        MethodSpec,
        MetricSpec,
        ModelSpec,
        PenaltySpec,
        ReferenceSpec,
        RegulariserSpec,
    )

hookspec = pluggy.HookspecMarker("harness")
hookimpl = pluggy.HookimplMarker("harness")

# -------------------------------------------------------------------------------------------------
# registering
# -------------------------------------------------------------------------------------------------


@hookspec
def harness_register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    """Offer data sets."""


@hookspec
def harness_register_models(register: Callable[[ModelSpec], None]) -> None:
    """Offer backbones: pairs of generator and discriminator networks."""


@hookspec
def harness_register_losses(register: Callable[[LossSpec | PenaltySpec], None]) -> None:
    """Offer adversarial losses and gradient penalties, all pure functions."""


@hookspec
def harness_register_augmentations(register: Callable[[AugmentationSpec], None]) -> None:
    """Offer discriminator-side augmentations."""


@hookspec
def harness_register_regularisers(register: Callable[[RegulariserSpec], None]) -> None:
    """Offer stateful regularisers that observe logits."""


@hookspec
def harness_register_extractors(register: Callable[[ExtractorSpec], None]) -> None:
    """Offer feature networks for evaluation."""


@hookspec
def harness_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    """Offer metrics with their protocols."""


@hookspec
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    """Offer methods, with their settings and recipes."""


@hookspec
def harness_register_references(register: Callable[[ReferenceSpec], None]) -> None:
    """Offer the tables of a paper."""


# -------------------------------------------------------------------------------------------------
# watching a run
# -------------------------------------------------------------------------------------------------


@hookspec
def harness_run_started(experiment: Mapping[str, Any], folder: Path) -> None:
    """Training starts or resumes.

    :param experiment: the resolved experiment as it is recorded: recipe, data set, seed, scale, settings.
    :param folder: the run's folder.
    """


@hookspec
def harness_step_finished(stage: str, step: int, values: Mapping[str, float]) -> None:
    """A line of the log was written (not every step: every `log_every` steps).

    :param step: steps done in this stage, from 1.
    :param values: what the method's step returned, averaged since the last line.
    """


@hookspec
def harness_evaluated(step: int, metrics: list[dict[str, Any]], folder: Path) -> None:
    """An evaluation finished, on the way or at the end; `metrics` are the entries of the record."""


@hookspec
def harness_run_finished(record: Mapping[str, Any], folder: Path) -> None:
    """The run is over and its record is written; `record` is the content of ``results.json``."""
