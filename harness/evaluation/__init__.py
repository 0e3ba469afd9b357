"""Evaluation: evidence asked for by value, metrics as chains of pure functions, numbers under named protocols.

What a plugin's metric or feature network imports. Names are loaded on first use: the record of a run and its readers
need :class:`MetricEntry` and protocols, but not torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    from harness.contracts.feature_network import Distance as Distance, Extractor as Extractor
    from harness.evaluation.evidence.base import (
        Bench as Bench,
        Counted as Counted,
        Evidence as Evidence,
        OfSet as OfSet,
        SetEvidence as SetEvidence,
    )
    from harness.evaluation.evidence.data_facts import (
        KnownModes as KnownModes,
        Labels as Labels,
        TrainingImages as TrainingImages,
    )
    from harness.evaluation.evidence.features import Features as Features
    from harness.evaluation.evidence.image_sets import (
        Conditions as Conditions,
        GeneratedSet as GeneratedSet,
        OutlierSet as OutlierSet,
        PartOfSplit as PartOfSplit,
        RealSet as RealSet,
        order_of as order_of,
    )
    from harness.evaluation.evidence.images_in_files import StoredImages as StoredImages, StoredSet as StoredSet
    from harness.evaluation.evidence.method_outputs import (
        Assignments as Assignments,
        OutlierScores as OutlierScores,
        Pair as Pair,
        Reconstruction as Reconstruction,
        pairs as pairs,
    )
    from harness.evaluation.evidence.real_statistics import (
        ImportedStatistics as ImportedStatistics,
        Statistics as Statistics,
    )
    from harness.evaluation.evidence.reported_numbers import Reported as Reported
    from harness.evaluation.feature_networks.extractor import open_extractor as open_extractor
    from harness.evaluation.feature_networks.local_weights import keep_made as keep_made
    from harness.evaluation.feature_networks.weights import (
        is_made_here as is_made_here,
        verified_weights as verified_weights,
        weights_files as weights_files,
        weights_place as weights_place,
        weights_sha256 as weights_sha256,
    )
    from harness.evaluation.measure import check_evaluation as check_evaluation, evaluate as evaluate
    from harness.evaluation.metrics.metric import (
        Measurement as Measurement,
        Metric as Metric,
        Value as Value,
        Values as Values,
    )
    from harness.evaluation.metrics.metric_context import Inapplicable as Inapplicable, MetricContext as MetricContext
    from harness.evaluation.protocols.metric_entry import MetricEntry as MetricEntry
    from harness.evaluation.protocols.protocol import (
        Difference as Difference,
        Protocol as Protocol,
        Term as Term,
        differences as differences,
    )
    from harness.evaluation.reference_statistics.gaussian import (
        Gaussian as Gaussian,
        fit_gaussian as fit_gaussian,
        gram as gram,
    )
    from harness.evaluation.sampling.blocks import (
        BatchNormMode as BatchNormMode,
        generated_blocks as generated_blocks,
        sampling_mode as sampling_mode,
    )
    from harness.evaluation.sampling.quantise import quantised as quantised
    from harness.evaluation.sampling.undisturbed import undisturbed as undisturbed

__all__, __getattr__ = lazy_names(__name__)
