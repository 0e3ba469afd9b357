"""Evaluation: evidence asked for by value, metrics as chains of pure functions, numbers under named protocols.

What a plugin's metric or feature network imports. Names are loaded on first use: the record of a run and its readers
need :class:`MetricEntry` and protocols, but not torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench
    from harness.evaluation.entries import MetricEntry
    from harness.evaluation.evidence import (
        Counted,
        Evidence,
        Features,
        GeneratedSet,
        KnownModes,
        RealSet,
        SetEvidence,
    )
    from harness.evaluation.extractors import Extractor
    from harness.evaluation.generation import generated_blocks, sampling_mode
    from harness.evaluation.isolation import undisturbed
    from harness.evaluation.measuring import check_evaluation, evaluate
    from harness.evaluation.metric import Inapplicable, Measurement, Metric, Offer, Value
    from harness.evaluation.protocol import Difference, Protocol, Term, differences

_HOMES = {
    "bench": ("Bench",),
    "entries": ("MetricEntry",),
    "measuring": ("check_evaluation", "evaluate"),
    "evidence": ("Counted", "Evidence", "Features", "GeneratedSet", "KnownModes", "RealSet", "SetEvidence"),
    "extractors": ("Extractor",),
    "generation": ("generated_blocks", "sampling_mode"),
    "metric": ("Inapplicable", "Measurement", "Metric", "Offer", "Value"),
    "protocol": ("Difference", "Protocol", "Term", "differences"),
    "isolation": ("undisturbed",),
}

__all__ = [
    "Bench",
    "Counted",
    "Difference",
    "Evidence",
    "Extractor",
    "Features",
    "GeneratedSet",
    "Inapplicable",
    "KnownModes",
    "Measurement",
    "Metric",
    "MetricEntry",
    "Offer",
    "Protocol",
    "RealSet",
    "SetEvidence",
    "Term",
    "Value",
    "check_evaluation",
    "differences",
    "evaluate",
    "generated_blocks",
    "sampling_mode",
    "undisturbed",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"harness.evaluation.{module}"), name)
    raise AttributeError(f"module 'harness.evaluation' has no attribute '{name}'")
