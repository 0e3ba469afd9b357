"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.catalog import Catalog, open_catalog

# two workers on two cores: one thread each, before torch is imported by any test
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_this_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests keep references in a folder of their own, never in the user's."""
    os.environ["HARNESS_CACHE"] = str(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Everything that is installed."""
    return open_catalog()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A folder of real data sets (mnist/, fashion_mnist/ with IDX files), named by HARNESS_TEST_DATA."""
    named = os.environ.get("HARNESS_TEST_DATA")
    if not named:
        pytest.skip("HARNESS_TEST_DATA names no folder of real data sets")
    root = Path(named)
    if not root.is_dir():
        pytest.skip(f"HARNESS_TEST_DATA={named} is not a folder")
    return root
