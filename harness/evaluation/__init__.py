"""Evaluation: evidence asked for by value, metrics as chains of pure functions, numbers under named protocols.

What a plugin's metric or feature network imports. Names are loaded on first use: the record of a run and its readers
need :class:`MetricEntry` and protocols, but not torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.evaluation.answers import Assignments, OutlierScores, Pair, Reconstruction, pairs
    from harness.evaluation.entries import MetricEntry
    from harness.evaluation.evidence import Bench, Counted, Evidence, OfSet, SetEvidence
    from harness.evaluation.extractors import Distance, Extractor
    from harness.evaluation.features import Features
    from harness.evaluation.gaussian import Gaussian, fit_gaussian
    from harness.evaluation.generation import generated_blocks, sampling_mode
    from harness.evaluation.isolation import undisturbed
    from harness.evaluation.measuring import check_evaluation, evaluate
    from harness.evaluation.metric import Measurement, Metric, Value, Values
    from harness.evaluation.observations import KnownModes, Labels, TrainingImages
    from harness.evaluation.offer import Inapplicable, Offer
    from harness.evaluation.protocol import Difference, Protocol, Term, differences
    from harness.evaluation.sets import Conditions, GeneratedSet, OutlierSet, PartOfSplit, RealSet
    from harness.evaluation.statistics import ImportedStatistics, Statistics
    from harness.evaluation.stored import StoredImages, StoredSet

_HOMES = {
    "answers": ("Assignments", "OutlierScores", "Pair", "Reconstruction", "pairs"),
    "entries": ("MetricEntry",),
    "evidence": ("Bench", "Counted", "Evidence", "OfSet", "SetEvidence"),
    "extractors": ("Distance", "Extractor"),
    "gaussian": ("Gaussian", "fit_gaussian"),
    "generation": ("generated_blocks", "sampling_mode"),
    "isolation": ("undisturbed",),
    "measuring": ("check_evaluation", "evaluate"),
    "metric": ("Measurement", "Metric", "Value", "Values"),
    "features": ("Features",),
    "observations": ("KnownModes", "Labels", "TrainingImages"),
    "offer": ("Inapplicable", "Offer"),
    "protocol": ("Difference", "Protocol", "Term", "differences"),
    "sets": ("Conditions", "GeneratedSet", "OutlierSet", "PartOfSplit", "RealSet"),
    "statistics": ("ImportedStatistics", "Statistics"),
    "stored": ("StoredImages", "StoredSet"),
}

__all__ = [
    "Assignments",
    "Bench",
    "Conditions",
    "Counted",
    "Difference",
    "Distance",
    "Evidence",
    "Extractor",
    "Features",
    "Gaussian",
    "GeneratedSet",
    "ImportedStatistics",
    "Inapplicable",
    "KnownModes",
    "Labels",
    "Measurement",
    "Metric",
    "MetricEntry",
    "OfSet",
    "Offer",
    "OutlierScores",
    "OutlierSet",
    "Pair",
    "PartOfSplit",
    "Protocol",
    "RealSet",
    "Reconstruction",
    "SetEvidence",
    "Statistics",
    "StoredImages",
    "StoredSet",
    "Term",
    "TrainingImages",
    "Value",
    "Values",
    "check_evaluation",
    "differences",
    "evaluate",
    "fit_gaussian",
    "generated_blocks",
    "pairs",
    "sampling_mode",
    "undisturbed",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"harness.evaluation.{module}"), name)
    raise AttributeError(f"module 'harness.evaluation' has no attribute '{name}'")
