"""Data as the rest of the harness sees it: splits, problems, batches, streams. The sets themselves are plugins'.

Names are loaded on first use, because streams need torch and finding a file does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.data.contracts import Batch, DataRequest, Law, Modes, NoSplit, Problem, Split
    from harness.data.fit import FittedShape, fit_images, fitted_shape
    from harness.data.joining import parts_of
    from harness.data.loading import LoadedDataset, load_dataset
    from harness.data.stream import LawData, Stream, TrainingData

_LAZY = {
    "Batch": "contracts",
    "DataRequest": "contracts",
    "FittedShape": "fit",
    "Law": "contracts",
    "LawData": "stream",
    "LoadedDataset": "loading",
    "Modes": "contracts",
    "NoSplit": "contracts",
    "Problem": "contracts",
    "Split": "contracts",
    "Stream": "stream",
    "TrainingData": "stream",
    "fit_images": "fit",
    "fitted_shape": "fit",
    "load_dataset": "loading",
    "parts_of": "joining",
}

__all__ = [
    "Batch",
    "DataRequest",
    "FittedShape",
    "Law",
    "LawData",
    "LoadedDataset",
    "Modes",
    "NoSplit",
    "Problem",
    "Split",
    "Stream",
    "TrainingData",
    "fit_images",
    "fitted_shape",
    "load_dataset",
    "parts_of",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"harness.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'harness.data' has no attribute '{name}'")
