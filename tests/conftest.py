"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from made_plugins import Install

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


def folder_named_by(variable: str, of: str) -> Path:
    """The folder that an environment variable names; without one the test is skipped, with the reason."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} names no folder of {of}")
    root = Path(named)
    if not root.is_dir():
        pytest.skip(f"{variable}={named} is not a folder")
    return root


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A folder of real data sets (mnist/, fashion_mnist/ with IDX files), named by HARNESS_TEST_DATA."""
    return folder_named_by("HARNESS_TEST_DATA", "real data sets")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes a plugin module to a folder on the path and returns its entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written: list[str] = []

    def write(name: str, source: str, module: str | None = None) -> EntryPoint:
        module = module or f"fake_{name}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        written.append(module)
        return EntryPoint(name, module, "harness")

    yield write
    for module in written:
        sys.modules.pop(module, None)


@pytest.fixture(scope="session")
def parity() -> Path:
    """A folder of numbers that public reference code gave, as npz files, named by HARNESS_PARITY."""
    return folder_named_by("HARNESS_PARITY", "reference numbers")
