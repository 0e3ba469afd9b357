"""A plugin-based benchmark and evaluation harness for generative adversarial methods.

The public API: what a plugin imports. Everything else may change. Names that need torch are loaded on first use, so
that ``import harness`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.errors import SettingsError, UserError
from harness.hookspecs import hookimpl
from harness.specs import (
    AugmentationSpec,
    DatasetSpec,
    ExtractorSpec,
    LossSpec,
    MethodSpec,
    MetricSpec,
    ModelSpec,
    PenaltySpec,
    Recipe,
    ReferenceSpec,
    RegulariserSpec,
    RemoteFile,
    Scale,
    Tolerance,
)

if TYPE_CHECKING:
    from harness.capabilities import Sampler, Samples
    from harness.config import AdamSettings, BackboneChoice, MethodSettings, PenaltySettings, Settings
    from harness.data import Batch, Problem, Stream
    from harness.methods import Context, Method, Stage
    from harness.networks import Adapted, Backbone, Critique, Place
    from harness.randomness import Seeds
    from harness.sampling import GeneratorSampler
    from harness.training.averaging import Average
    from harness.training.optimisers import LazyPenalty, adam

__version__ = "0.1.0"

_LAZY = {
    "AdamSettings": "harness.config",
    "Adapted": "harness.networks",
    "Average": "harness.training.averaging",
    "Backbone": "harness.networks",
    "BackboneChoice": "harness.config",
    "Batch": "harness.data",
    "Context": "harness.methods",
    "Critique": "harness.networks",
    "GeneratorSampler": "harness.sampling",
    "LazyPenalty": "harness.training.optimisers",
    "Method": "harness.methods",
    "MethodSettings": "harness.config",
    "PenaltySettings": "harness.config",
    "Place": "harness.networks",
    "Problem": "harness.data",
    "Sampler": "harness.capabilities",
    "Samples": "harness.capabilities",
    "Seeds": "harness.randomness",
    "Settings": "harness.config",
    "Stage": "harness.methods",
    "Stream": "harness.data",
    "adam": "harness.training.optimisers",
}

__all__ = [
    "AdamSettings",
    "Adapted",
    "AugmentationSpec",
    "Average",
    "Backbone",
    "BackboneChoice",
    "Batch",
    "Context",
    "Critique",
    "DatasetSpec",
    "ExtractorSpec",
    "GeneratorSampler",
    "LazyPenalty",
    "LossSpec",
    "Method",
    "MethodSettings",
    "MethodSpec",
    "MetricSpec",
    "ModelSpec",
    "PenaltySettings",
    "PenaltySpec",
    "Place",
    "Problem",
    "Recipe",
    "ReferenceSpec",
    "RegulariserSpec",
    "RemoteFile",
    "Sampler",
    "Samples",
    "Scale",
    "Seeds",
    "Settings",
    "SettingsError",
    "Stage",
    "Stream",
    "Tolerance",
    "UserError",
    "__version__",
    "adam",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
