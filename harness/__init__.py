"""A plugin-based benchmark and evaluation harness for generative adversarial methods.

The public API, beside the rooms that plugins may open (``harness.contracts``, ``harness.layers``, ``harness.data``,
``harness.evaluation``, ``harness.errors``, ``harness.randomness``). Everything else may change. Names are loaded on
first use, so that ``import harness`` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    from harness.catalog import Catalog as Catalog, open_catalog as open_catalog
    from harness.contracts.capabilities import Sampler as Sampler, Samples as Samples
    from harness.contracts.context import Context as Context
    from harness.contracts.data import Batch as Batch, Problem as Problem
    from harness.contracts.hookspecs import hookimpl as hookimpl
    from harness.contracts.method import Method as Method, Stage as Stage
    from harness.contracts.networks import (
        Adapted as Adapted,
        Backbone as Backbone,
        Critique as Critique,
        Place as Place,
    )
    from harness.contracts.settings import (
        AdamSettings as AdamSettings,
        AdversarialSettings as AdversarialSettings,
        BackboneChoice as BackboneChoice,
        MethodSettings as MethodSettings,
        PenaltySettings as PenaltySettings,
        Settings as Settings,
    )
    from harness.contracts.specs import (
        AugmentationSpec as AugmentationSpec,
        DatasetSpec as DatasetSpec,
        ExtractorSpec as ExtractorSpec,
        LossSpec as LossSpec,
        MethodSpec as MethodSpec,
        MetricSpec as MetricSpec,
        ModelSpec as ModelSpec,
        PenaltySpec as PenaltySpec,
        Recipe as Recipe,
        ReferenceSpec as ReferenceSpec,
        RegulariserSpec as RegulariserSpec,
        RemoteFile as RemoteFile,
        Scale as Scale,
        Tolerance as Tolerance,
    )
    from harness.contracts.stream import Stream as Stream
    from harness.devices import choose_device as choose_device, full_precision as full_precision
    from harness.errors import SettingsError as SettingsError, UserError as UserError
    from harness.overrides import merged as merged, validated as validated
    from harness.randomness import Seeds as Seeds
    from harness.samplers.generator_sampler import GeneratorSampler as GeneratorSampler, clamped as clamped
    from harness.samplers.styled_sampler import StyledSampler as StyledSampler, sampler_of as sampler_of
    from harness.training.averaging import Average as Average
    from harness.training.mixed_styles import mixed_styles as mixed_styles
    from harness.training.optimisers import LazyPenalty as LazyPenalty, adam as adam
    from harness.training.pair import Pair as Pair
    from harness.training.path_length import PathLength as PathLength
    from harness.version import __version__ as __version__

__all__, __getattr__ = lazy_names(__name__)
