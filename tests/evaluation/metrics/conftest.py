"""What metrics are offered beside scikit-learn's digits, under any settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset
from harness.evaluation import Bench, MetricContext, StoredImages


@pytest.fixture
def offer(digits: LoadedDataset, catalog: Catalog, toy: Callable[..., Any]) -> Callable[..., MetricContext]:
    """What is on offer under some settings."""

    def build(
        trained: Any = None, dataset: LoadedDataset | None = None, has_real: bool = True, **settings: Any
    ) -> MetricContext:
        bench = Bench(trained or toy((1, 8, 8)), dataset or digits, catalog, 0, "cpu", has_real=has_real)
        return MetricContext(bench, EvaluationSettings(**{"samples": 300} | settings))

    return build


@pytest.fixture
def stored(digits: LoadedDataset) -> StoredImages:
    return StoredImages(digits.finite("test"))
