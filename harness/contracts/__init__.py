"""All that a plugin's author opens: what can be offered, what each thing promises, and what it is handed.

- ``hookspecs``, ``specs``: what a plugin registers, and with which names and promises.
- ``settings``: what a method or a backbone can be told.
- ``data``, ``stream``: splits, problems, batches, and the endless stream that a stage draws from.
- ``networks``: backbones, the places in them, and what a critic says of an image.
- ``feature_network``: what a network promises that evaluation looks at images with.
- ``draws``: random numbers for the rows of a batch, whichever device they lie on.
- ``method``, ``context``: stages and state of a method, and the means that it is handed.
- ``companions``: what accompanies an adversarial method by its settings alone.
- ``capabilities``: what a trained method can do, and so what can be measured.

What a metric's author opens beside these is :mod:`harness.evaluation`. Nothing here imports anything of the harness but
devices, errors and randomness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    from harness.contracts.capabilities import (
        CAPABILITIES as CAPABILITIES,
        Calibrated as Calibrated,
        CalibratedOn as CalibratedOn,
        Clusterer as Clusterer,
        Conditioned as Conditioned,
        LatentLayers as LatentLayers,
        LatentSpace as LatentSpace,
        OutlierScorer as OutlierScorer,
        Reconstructions as Reconstructions,
        Reconstructor as Reconstructor,
        Reporter as Reporter,
        Sampler as Sampler,
        Samples as Samples,
        ScaledLatents as ScaledLatents,
        StyleSpace as StyleSpace,
        ToldLabels as ToldLabels,
        Trained as Trained,
        Varied as Varied,
        all_variants as all_variants,
        calibration_split as calibration_split,
        conditions_of as conditions_of,
        told_labels as told_labels,
    )
    from harness.contracts.companions import Augmentation as Augmentation, Regulariser as Regulariser
    from harness.contracts.context import (
        AdversarialLoss as AdversarialLoss,
        Context as Context,
        Loss as Loss,
        Penalty as Penalty,
    )
    from harness.contracts.data import (
        Batch as Batch,
        DataRequest as DataRequest,
        Law as Law,
        Modes as Modes,
        NoSplit as NoSplit,
        Problem as Problem,
        Split as Split,
    )
    from harness.contracts.draws import Draws as Draws
    from harness.contracts.feature_network import (
        Distance as Distance,
        Extractor as Extractor,
        ImageNetwork as ImageNetwork,
    )
    from harness.contracts.hookspecs import hookimpl as hookimpl
    from harness.contracts.method import Method as Method, Stage as Stage
    from harness.contracts.networks import (
        Adapted as Adapted,
        Adapter as Adapter,
        AdapterFactory as AdapterFactory,
        Backbone as Backbone,
        Critique as Critique,
        Discriminator as Discriminator,
        Generator as Generator,
        Noise as Noise,
        Place as Place,
        StyledGenerator as StyledGenerator,
    )
    from harness.contracts.settings import (
        AdamSettings as AdamSettings,
        AdversarialSettings as AdversarialSettings,
        AugmentationChoice as AugmentationChoice,
        BackboneChoice as BackboneChoice,
        Beta as Beta,
        Choice as Choice,
        EmaSettings as EmaSettings,
        EvaluationSettings as EvaluationSettings,
        MethodSettings as MethodSettings,
        PathLengthSettings as PathLengthSettings,
        PenaltySettings as PenaltySettings,
        RegulariserChoice as RegulariserChoice,
        Settings as Settings,
    )
    from harness.contracts.specs import (
        AugmentationSpec as AugmentationSpec,
        DatasetSpec as DatasetSpec,
        ExtractorSpec as ExtractorSpec,
        Kind as Kind,
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
        Spec as Spec,
        Tolerance as Tolerance,
    )
    from harness.contracts.stream import (
        LawData as LawData,
        Stream as Stream,
        TrainingData as TrainingData,
        as_float as as_float,
    )
    from harness.devices import upload as upload

__all__, __getattr__ = lazy_names(__name__)
