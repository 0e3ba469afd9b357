"""Gaussian statistics of real images as files: written, held against the data, taken over into the cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.config import EvaluationSettings
from harness.data.files import data_root
from harness.errors import EvaluationError
from harness.evaluation import Bench, Features, Gaussian, Offer, RealSet, Statistics
from harness.evaluation.reference_key import measured_by, measured_of
from harness.evaluation.statistics_file import StatisticsFile, read_statistics, write_statistics
from harness.runs.image_sources import image_source
from harness.training.devices import choose_device, full_precision


@dataclass(frozen=True)
class Measured:
    """Statistics that were computed here, and what they are."""

    gaussian: Gaussian
    about: dict[str, Any]


class RealStatistics:
    """The statistics of one split on one feature network.

    :param real: a data set, folder, archive or npz of images.
    """

    def __init__(
        self, catalog: Catalog, real: str, extractor: str, split: str, root: Path | None = None, device: str = "auto"
    ) -> None:
        chosen = choose_device(device)
        dataset = image_source(catalog, real, data_root(root))
        self._bench = Bench(None, dataset, catalog, 0, chosen)
        settings = EvaluationSettings(extractors=(extractor,))
        Offer(self._bench, settings).extractors()  # refuses images that the network does not take
        self._features = Features(RealSet(split, len(dataset.finite(split))), extractor)

    def about(self) -> dict[str, Any]:
        """What the statistics are of and how they are made."""
        real = self._features.of
        assert isinstance(real, RealSet)
        return {
            **measured_by(self._bench, self._features),
            **measured_of(self._bench, real),
            "real_count": real.count,
        }

    def measure(self) -> Measured:
        """Compute them, or take them from the cache."""
        with full_precision(self._bench.device):
            return Measured(self._bench.get(Statistics(self._features)), self.about())

    def distance_to(self, file: StatisticsFile) -> float:
        """How far a file's statistics are from those computed here: the largest difference of any mean or covariance,
        as it counts in a Fréchet distance (units of squared features).
        """
        ours, theirs = self.measure().gaussian, file.gaussian
        means = float((ours.mean - theirs.mean).square().max())
        spreads = float((ours.full_covariance() - theirs.full_covariance()).abs().max())
        return max(means, spreads)

    def take_over(self, file: StatisticsFile) -> None:
        """Keep a file's statistics as if they had been computed here.

        :raises EvaluationError: where the file does not say that it is of this very data and network.
        """
        check_same(file, self.about())
        gaussian = file.gaussian
        if gaussian.count is None or gaussian.count != self._features.items():
            raise EvaluationError(f"{file.path} does not say how many images it was made from")
        self._bench.keep_statistics(self._features, gaussian)


def check_same(file: StatisticsFile, about: dict[str, Any]) -> None:
    """A file says of itself what is known of the data; the data set's name may differ, its content may not.

    :raises EvaluationError: naming the first field that differs.
    """
    if not file.about:
        raise EvaluationError(
            f"{file.path} does not say what it was made from",
            "use it as it is with --real, or make one with: harness stats export",
        )
    for name, value in about.items():
        said = file.about.get(name)
        if name not in ("dataset", "split") and said != value:
            raise EvaluationError(f"{file.path} was made from something else: {name} is {said} there, {value} here")


def export_statistics(measured: Measured, path: Path) -> None:
    """Write statistics to an npz that other tools read too."""
    if path.suffix != ".npz":
        raise EvaluationError(f"statistics are written to a file that ends in .npz, not to {path}")
    write_statistics(path, measured.gaussian, measured.about)


__all__ = ["Measured", "RealStatistics", "check_same", "export_statistics", "read_statistics"]
