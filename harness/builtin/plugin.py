"""Registers what the harness brings along. Each room keeps its list of specs in its own ``registry.py``."""

from __future__ import annotations

from collections.abc import Callable

from harness import (
    AugmentationSpec,
    DatasetSpec,
    ExtractorSpec,
    LossSpec,
    MetricSpec,
    ModelSpec,
    PenaltySpec,
    RegulariserSpec,
    hookimpl,
)
from harness.builtin.augmentations.registry import SPECS as AUGMENTATIONS
from harness.builtin.datasets.registry import SPECS as DATASETS
from harness.builtin.extractors.registry import SPECS as EXTRACTORS
from harness.builtin.losses.registry import SPECS as LOSSES
from harness.builtin.metrics.registry import SPECS as METRICS
from harness.builtin.models.registry import SPECS as MODELS
from harness.builtin.regularisers.registry import SPECS as REGULARISERS


@hookimpl
def harness_register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    for spec in DATASETS:
        register(spec)


@hookimpl
def harness_register_models(register: Callable[[ModelSpec], None]) -> None:
    for spec in MODELS:
        register(spec)


@hookimpl
def harness_register_losses(register: Callable[[LossSpec | PenaltySpec], None]) -> None:
    for spec in LOSSES:
        register(spec)


@hookimpl
def harness_register_augmentations(register: Callable[[AugmentationSpec], None]) -> None:
    for spec in AUGMENTATIONS:
        register(spec)


@hookimpl
def harness_register_regularisers(register: Callable[[RegulariserSpec], None]) -> None:
    for spec in REGULARISERS:
        register(spec)


@hookimpl
def harness_register_extractors(register: Callable[[ExtractorSpec], None]) -> None:
    for spec in EXTRACTORS:
        register(spec)


@hookimpl
def harness_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    for spec in METRICS:
        register(spec)
