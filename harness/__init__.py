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
)

if TYPE_CHECKING:
    from harness.capabilities import Sampler, Samples
    from harness.config import BackboneChoice, MethodSettings, Settings
    from harness.data import Batch, Problem, Stream
    from harness.methods import Context, Method, Stage
    from harness.networks import Adapted, Backbone, Critique, Place
    from harness.randomness import Seeds
    from harness.sampling import GeneratorSampler
    from harness.training.averaging import Average

__version__ = "0.1.0"

_LAZY = {
    "Adapted": "harness.networks",
    "Average": "harness.training.averaging",
    "Backbone": "harness.networks",
    "BackboneChoice": "harness.config",
    "Batch": "harness.data",
    "Context": "harness.methods",
    "Critique": "harness.networks",
    "GeneratorSampler": "harness.sampling",
    "Method": "harness.methods",
    "MethodSettings": "harness.config",
    "Place": "harness.networks",
    "Problem": "harness.data",
    "Sampler": "harness.capabilities",
    "Samples": "harness.capabilities",
    "Seeds": "harness.randomness",
    "Settings": "harness.config",
    "Stage": "harness.methods",
    "Stream": "harness.data",
}

__all__ = [
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
    "LossSpec",
    "Method",
    "MethodSettings",
    "MethodSpec",
    "MetricSpec",
    "ModelSpec",
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
    "UserError",
    "__version__",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
