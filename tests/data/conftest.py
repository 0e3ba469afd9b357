"""A catalogue of made-up data sets and backbones, so that these tests know exactly what is loaded."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness import hookimpl
from harness.catalog import Catalog
from harness.contracts.data import DataRequest, Law, Modes, Split
from harness.contracts.specs import DatasetSpec, ModelSpec
from harness.plugins import Plugins

MODULE = "made_up_data"
N = 40
CALLS: list[DataRequest] = []


def images(request: DataRequest) -> Split:
    """Image i is all i; label i modulo 4."""
    CALLS.append(request)
    n = N if request.split == "train" else 10
    values = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 1, 6, 6)).copy()
    return Split(values, np.arange(n) % 4, request.spec.classes or tuple("abcd"), {"made": "up"})


def empty(request: DataRequest) -> Split:
    """Nothing at all."""
    return Split(np.zeros((0, 1, 6, 6), dtype=np.uint8), None, ())


def points(request: DataRequest) -> Split:
    """Ten points."""
    return Split(np.zeros((10, 2), dtype=np.float32), np.zeros(10, dtype=np.int64), ("a",))


def law(request: DataRequest) -> Law:
    """Standard normal points, labelled by the sign of their first coordinate."""

    def draw(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        values = generator.standard_normal((n, 2)).astype(np.float32)
        return values, (values[:, 0] > 0).astype(np.int64)

    return Law(draw, ("left", "right"), "standard normal")


def modes() -> Modes:
    """One mode."""
    return Modes(np.zeros((1, 2)), 1.0, np.ones(1))


def _dataset(name: str, **changes: Any) -> DatasetSpec:
    values: dict[str, Any] = {
        "summary": name,
        "load": f"{MODULE}:images",
        "kind": "images",
        "shape": (1, 6, 6),
        "classes": tuple("abcd"),
        "splits": {"train": N, "test": 10},
        "licence": "none",
        "source": "made up",
    }
    return DatasetSpec(name=name, **(values | changes))


DATASETS = (
    _dataset("squares"),
    _dataset("found", shape=None, classes=None),
    _dataset("lying", shape=(1, 8, 8)),
    _dataset("empty", load=f"{MODULE}:empty"),
    _dataset("dots", kind="points", shape=(2,), load=f"{MODULE}:points"),
    _dataset(
        "endless", kind="points", shape=(2,), load=f"{MODULE}:law", splits={"train": None}, modes=f"{MODULE}:modes"
    ),
)
MODELS = (
    ModelSpec(name="pixels8", summary="", settings="x:y", build="x:y", kind="images", resolutions=(8, 16)),
    ModelSpec(name="plane", summary="", settings="x:y", build="x:y", kind="points"),
)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalogue of only these."""
    module: Any = ModuleType(MODULE)
    module.images, module.points, module.law, module.modes, module.empty = images, points, law, modes, empty

    @hookimpl
    def harness_register_datasets(register):  # type: ignore[no-untyped-def]
        for spec in DATASETS:
            register(spec)

    @hookimpl
    def harness_register_models(register):  # type: ignore[no-untyped-def]
        for spec in MODELS:
            register(spec)

    module.harness_register_datasets = harness_register_datasets
    module.harness_register_models = harness_register_models
    monkeypatch.setitem(sys.modules, MODULE, module)
    CALLS.clear()
    return Catalog(Plugins(["builtin"], [EntryPoint("made_up", MODULE, "harness")]))


@pytest.fixture
def calls() -> list[DataRequest]:
    """What the made-up image set was asked for."""
    return CALLS
