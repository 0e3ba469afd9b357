"""Fixtures of tests of stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from short_trainings import Make, training_of
from with_stand_ins import with_stand_ins

from harness.catalog import Catalog
from harness.training.loop import Training


@pytest.fixture(scope="session")
def all_methods() -> Catalog:
    """Everything that is installed, and the stand-ins."""
    return with_stand_ins()


@pytest.fixture
def make(all_methods: Catalog, tmp_path: Path) -> Make:
    """Makes a training of three steps a stage."""

    def build(recipe: str, **more: Any) -> Training:
        return training_of(all_methods, recipe, tmp_path, **more)

    return build
