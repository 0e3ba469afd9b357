"""Data as the rest of the harness sees it: splits, problems, batches, streams. The sets themselves are plugins'.

Names are loaded on first use, because streams need torch and finding a file does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    from harness.contracts.data import (
        Batch as Batch,
        DataRequest as DataRequest,
        Law as Law,
        Modes as Modes,
        NoSplit as NoSplit,
        Problem as Problem,
        Split as Split,
    )
    from harness.contracts.stream import (
        LawData as LawData,
        Stream as Stream,
        TrainingData as TrainingData,
        as_float as as_float,
    )
    from harness.data.files import Verified as Verified, data_root as data_root, read as read
    from harness.data.fit import FittedShape as FittedShape, fit_images as fit_images, fitted_shape as fitted_shape
    from harness.data.folds import Fold as Fold
    from harness.data.joining import parts_of as parts_of
    from harness.data.loading import LoadedDataset as LoadedDataset, load_dataset as load_dataset

__all__, __getattr__ = lazy_names(__name__)
