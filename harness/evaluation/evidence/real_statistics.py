"""Gaussian statistics of real features as evidence: computed, kept from an earlier time, or read from a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.evaluation.evidence.base import Evidence
from harness.evaluation.evidence.features import Features, keep_statistics, kept_statistics
from harness.evaluation.reference_statistics.gaussian import Gaussian, fit_gaussian
from harness.evaluation.reference_statistics.npz_file import StatisticsFile

if TYPE_CHECKING:
    from harness.evaluation.evidence.base import Bench


@dataclass(frozen=True)
class Statistics(Evidence[Gaussian]):
    """Mean and covariance of the features of real items."""

    of: Features

    def size(self) -> int:
        return self.of.items()

    def needs(self, bench: Bench) -> Iterable[Evidence[Any]]:
        return () if kept_statistics(bench, self.of) is not None else (self.of,)

    def make(self, bench: Bench) -> Gaussian:
        kept = kept_statistics(bench, self.of)
        if kept is not None:
            return kept
        fitted = fit_gaussian(bench.get(self.of), "real")
        keep_statistics(bench, self.of, fitted)
        return fitted


@dataclass(frozen=True)
class ImportedStatistics(Evidence[Gaussian]):
    """Statistics of somebody's file.

    :param file: what it holds and says of itself.
    """

    file: StatisticsFile

    def size(self) -> int | None:
        return self.file.gaussian.count

    def make(self, bench: Bench) -> Gaussian:
        return self.file.gaussian
