"""The cases: for each capability a healthy baseline, and disturbances of it by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.catalog import Catalog
from harness.contracts.data import Law
from harness.data import LoadedDataset, Split, load_dataset
from harness.doctor.disturbances import blurred, compressed, fewer_modes, noisy, shuffled_labels
from harness.doctor.patients import Grouper, Linear, Rebuilder, Replay, Scorer
from harness.randomness import keyed

BASELINE = "baseline"

#: the data that disturbances are made of: shipped with the harness's own dependencies, with labels and a test split
IMAGES, POINTS = "digits", "ring2d"

#: items on the generated side
IMAGE_COUNT, POINT_COUNT = 360, 5000


@dataclass(frozen=True)
class Case:
    """A stand-in for a method beside a data set.

    :param outliers: data sets for outlier detection.
    """

    trained: Any
    dataset: LoadedDataset
    outliers: tuple[str, ...] = ()


#: makes a case when it is needed
Maker = Callable[[], Case]


class Cases:
    """Every case, by kind of data, capability, and name of the disturbance.

    :param folder: where outlier images are written for the time of the examination.
    """

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.folder = folder
        self.images = load_dataset(catalog, IMAGES, folder)
        self.points = load_dataset(catalog, POINTS, folder)

    def of(self, kind: str, capability: str) -> Mapping[str, Maker]:
        """Cases for a metric: the baseline and all disturbances; empty where there are none."""
        if kind == "points":
            return self._of_points() if capability == "sample" else {}
        found: Mapping[str, Callable[[], Mapping[str, Maker]]] = {
            "sample": self._of_samples,
            "reconstruct": self._of_reconstructions,
            "outlier_scores": self._of_scores,
            "assign": self._of_clusters,
            "latents": self._of_latents,
            "latent_scale": self._of_latents,
        }
        return found[capability]() if capability in found else {}

    # -- samples -----------------------------------------------------------------------------------

    def _of_samples(self) -> Mapping[str, Maker]:
        """Generated: the test images. Real: the training images."""
        train, test = self.images.finite("train"), self.images.finite("test")
        copied = train.subset(keyed("doctor", "copies").permutation(len(train))[:IMAGE_COUNT])
        return {
            BASELINE: lambda: Case(Replay(test), self.images),
            "noise": lambda: Case(Replay(_with(test, noisy)), self.images),
            "blur": lambda: Case(Replay(_with(test, blurred)), self.images),
            "jpeg": lambda: Case(Replay(_with(test, compressed)), self.images),
            "mode_drop": lambda: Case(Replay(fewer_modes(test)), self.images),
            "memorise": lambda: Case(Replay(copied), self.images),
            "label_shuffle": lambda: Case(Replay(shuffled_labels(test)), self.images),
            # the roles of mode_drop exchanged: now it is the real side that has lost its modes
            "swap": lambda: Case(Replay(test), self._holding(fewer_modes(train))),
        }

    def _of_points(self) -> Mapping[str, Maker]:
        split = self.points.split("train")
        points = split.take(POINT_COUNT, "doctor") if isinstance(split, Law) else split.subset(np.arange(POINT_COUNT))
        spread = keyed("doctor", "points").normal(0, 0.2, points.values.shape).astype(np.float32)
        noisier = replace(points, values=points.values + spread)
        return {
            BASELINE: lambda: Case(Replay(points), self.points),
            "noise": lambda: Case(Replay(noisier), self.points),
            "mode_drop": lambda: Case(Replay(fewer_modes(points)), self.points),
        }

    # -- what methods say of images ----------------------------------------------------------------

    def _of_reconstructions(self) -> Mapping[str, Maker]:
        """Rebuilt with a little noise; disturbed with more of it, or blurred."""
        enlarged = self._enlarged()
        test = enlarged.finite("test")

        def rebuilt(spoil: Callable[[np.ndarray], np.ndarray]) -> Case:
            return Case(Rebuilder(test, spoil), enlarged)

        return {
            BASELINE: lambda: rebuilt(lambda images: noisy(images, 5.0)),
            "noise": lambda: rebuilt(noisy),
            "blur": lambda: rebuilt(blurred),
        }

    def _of_scores(self) -> Mapping[str, Maker]:
        """Outliers are images of noise; the score is the distance from the mean image, with some noise."""
        train, outliers = self.images.finite("train"), (self._outliers(),)

        def scored(noise: float, sign: float = 1.0) -> Case:
            return Case(Scorer(train, noise, sign), self.images, outliers)

        return {
            BASELINE: lambda: scored(0.3),
            "separate": lambda: scored(0.0),
            "swap": lambda: scored(0.3, sign=-1.0),
        }

    def _of_clusters(self) -> Mapping[str, Maker]:
        """Clusters are the nearest class means."""
        train = self.images.finite("train")
        return {
            BASELINE: lambda: Case(Grouper(train), self.images),
            "label_shuffle": lambda: Case(Grouper(train), self._holding(shuffled_labels(train))),
            "merge": lambda: Case(Grouper(train, merged=(0, 1, 2)), self.images),
        }

    def _of_latents(self) -> Mapping[str, Maker]:
        """A linear generator of 8 equal dimensions; stretched along one of them, or with all but three of them dead."""
        enlarged = self._enlarged()

        def linear(*gains: float) -> Case:
            return Case(Linear(torch.tensor(gains), enlarged.finite("train").values.shape[1:]), enlarged)

        return {
            BASELINE: lambda: linear(*[0.1] * 8),
            "stretch": lambda: linear(2.0, *[0.1] * 7),
            "collapse": lambda: linear(*[0.1] * 3, *[1e-3] * 5),
        }

    # -- inside ------------------------------------------------------------------------------------

    def _holding(self, train: Split) -> LoadedDataset:
        """The data set with another training split."""
        splits: dict[str, Split | Law] = {"train": train, "test": self.images.finite("test")}
        return LoadedDataset(self.images.name, self.images.spec, self.images.root, self.catalog, _splits=splits)

    def _enlarged(self) -> LoadedDataset:
        """The data set with every pixel four times: structural similarity needs more than 10 pixels a side."""
        splits: dict[str, Split | Law] = {}
        for name in ("train", "test"):
            stored = self.images.finite(name)
            splits[name] = replace(stored, values=stored.values.repeat(2, 2).repeat(2, 3))
        return LoadedDataset(self.images.name, self.images.spec, self.images.root, self.catalog, _splits=splits)

    def _outliers(self) -> str:
        """A data set of noise images, in a file."""
        path = self.folder / "outliers.npz"
        if not path.is_file():
            shape = self.images.finite("test").values.shape
            pixels = keyed("doctor", "outliers").integers(0, 256, (shape[0], *shape[2:], shape[1]), dtype=np.uint8)
            np.savez(path, arr_0=pixels)
        return f"npz:{path}"


def _with(split: Split, change: Callable[[np.ndarray], np.ndarray]) -> Split:
    return replace(split, values=change(split.values))
