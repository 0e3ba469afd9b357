"""Gaussian statistics of real images as files: written, held against the data, taken over into the cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data.files import data_root
from harness.devices import choose_device
from harness.errors import EvaluationError
from harness.evaluation import Bench, Features, Gaussian, MetricContext, RealSet, Statistics, fit_gaussian
from harness.evaluation.evidence.features import feature_pass, keep_statistics, measured_by, measured_of, statistics_key
from harness.evaluation.reference_statistics.npz_file import StatisticsFile, read_statistics, write_statistics
from harness.runs.files.source import image_source
from harness.runs.pictures.save import made_folder


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
        MetricContext(self._bench, settings).extractors()  # refuses images that the network does not take
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
        with self._bench.repeatable():
            return Measured(self._bench.get(Statistics(self._features)), self.about())

    def distance_to(self, file: StatisticsFile) -> float:
        """How far a file's statistics are from those computed here: the largest difference of any mean or covariance,
        as it counts in a Fréchet distance (units of squared features).
        """
        ours, theirs = self._anew(), file.gaussian
        _check_size(file, len(ours.mean))
        means = float((ours.mean - theirs.mean).square().max())
        spreads = float((ours.full_covariance() - theirs.full_covariance()).abs().max())
        return max(means, spreads)

    def _anew(self) -> Gaussian:
        """Computed without the cache, which may hold what was taken over from the very file in question."""
        with self._bench.repeatable():
            rows = feature_pass(self._bench, self._features.of, [self._features])[self._features]
            return fit_gaussian(rows, "real")

    def take_over(self, file: StatisticsFile) -> None:
        """Keep a file's statistics for later evaluations, whose protocols then name the file's checksum.

        :raises EvaluationError: where the file does not say that it is of this very data and network, or where
            statistics of this network are never kept.
        """
        check_same(file, self.about())
        if statistics_key(self._bench, self._features) is None:
            raise EvaluationError(
                f"statistics of extractor '{self._features.extractor}' are not kept, since it takes no time",
                "use the file as it is with --real",
            )
        gaussian = file.gaussian
        if gaussian.count is None or gaussian.count != self._features.items():
            raise EvaluationError(f"{file.path} does not say how many images it was made from")
        one = self._features.resized(1)
        _check_size(file, feature_pass(self._bench, one.of, [one])[one].shape[1])
        keep_statistics(self._bench, self._features, replace(gaussian, source=file.sha256))


def _check_size(file: StatisticsFile, features: int) -> None:
    """A file says nothing of the number of features but by its arrays."""
    if len(file.gaussian.mean) != features:
        raise EvaluationError(f"{file.path} is of {len(file.gaussian.mean)} features, not of {features}")


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


def check_target(path: Path) -> None:
    """Refuse, before any work, a place that statistics cannot be written to."""
    if path.suffix != ".npz" or path.is_dir():
        raise EvaluationError(f"statistics are written to a file that ends in .npz, not to {path}")
    made_folder(path.parent)


def export_statistics(measured: Measured, path: Path) -> None:
    """Write statistics to an npz that other tools read too."""
    check_target(path)
    write_statistics(path, measured.gaussian, measured.about)


__all__ = ["Measured", "RealStatistics", "check_same", "check_target", "export_statistics", "read_statistics"]
