"""Data as the rest of the harness sees it: splits, problems, batches, streams. The sets themselves are plugins'."""

from harness.data.contracts import Batch, DataRequest, Law, Modes, Problem, Split
from harness.data.fit import FittedShape, fit_images, fitted_shape
from harness.data.loading import LoadedDataset, load_dataset
from harness.data.stream import Stream, TrainingData

__all__ = [
    "Batch",
    "DataRequest",
    "FittedShape",
    "Law",
    "LoadedDataset",
    "Modes",
    "Problem",
    "Split",
    "Stream",
    "TrainingData",
    "fit_images",
    "fitted_shape",
    "load_dataset",
]
