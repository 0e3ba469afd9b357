"""Calibration: a method's look at in-distribution images, block by block, before it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.capabilities import calibration_split
from harness.contracts.stream import as_float
from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Evidence
from harness.evaluation.evidence.data_facts import TrainingImages
from harness.evaluation.sampling.blocks import networks_of
from harness.randomness import seed_everything

if TYPE_CHECKING:
    from harness.contracts.data import Split
    from harness.data.loading import LoadedDataset
    from harness.evaluation.evidence.base import Bench

#: images that a method is calibrated by at once
BLOCK = 250


@dataclass(frozen=True)
class Calibration(Evidence[None]):
    """The method has seen the images that it is calibrated by; nothing where it needs none."""

    def make(self, bench: Bench) -> None:
        split = calibration_split(bench.trained)
        if split is None:
            return
        check_calibration(bench.trained, bench.dataset)
        images = bench.get(TrainingImages()) if split == "train" else bench.dataset.finite("test")
        modules = [module for network in networks_of(bench.trained).values() for module in network.modules()]
        modes = [module.training for module in modules]
        seed_everything("answer", bench.seed, "calibrate")
        try:
            for module in modules:
                module.training = False
            with torch.no_grad():  # buffers are left as they become: a method may keep what it learns in one
                bench.trained.calibrate(Blocks(images, bench.device))
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode


class Blocks:
    """A split's images in stored order, float [B, C, H, W] in [-1, 1] on a device; every pass starts anew.

    A block is made when it is asked for and forgotten once it is handed out.
    """

    def __init__(self, images: Split, device: torch.device) -> None:
        self._images, self._device = images, device

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self._images), BLOCK):
            yield as_float(torch.from_numpy(self._images.values[start : start + BLOCK]).to(self._device))


def check_calibration(trained: object, dataset: LoadedDataset) -> None:
    """The split that a method is calibrated by is there, if it needs any.

    :raises EvaluationError: where it is not.
    """
    if calibration_split(trained) == "test" and not dataset.has_split("test"):
        raise EvaluationError(
            f"the method is calibrated by test images (calibrated_on), but data set '{dataset.name}' has no test split"
        )
