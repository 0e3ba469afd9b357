"""What metrics are measured on: digits, and a bench for a method beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.catalog import Catalog
from harness.data import LoadedDataset, load_dataset
from harness.evaluation import Bench


@pytest.fixture(scope="session")
def digits(catalog: Catalog) -> LoadedDataset:
    """scikit-learn's digits."""
    return load_dataset(catalog, "digits", Path("unused"))


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Callable[..., Bench]:
    """A bench for a method."""
    return lambda trained: Bench(trained, digits, catalog, seed=3, device="cpu")
