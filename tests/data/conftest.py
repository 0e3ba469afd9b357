"""A catalogue of made-up data sets and backbones, so that these tests know exactly what is loaded."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness import hookimpl
from harness.catalog import Catalog
from harness.contracts.data import DataRequest, Law, Modes, NoSplit, Split
from harness.contracts.specs import DatasetSpec, ModelSpec
from harness.plugins import Plugins

MODULE = "made_up_data"
N = 40
CALLS: list[DataRequest] = []
NAMES = ("odd", "small")


def images(request: DataRequest) -> Split:
    """Image i is all i; label i modulo 4."""
    CALLS.append(request)
    n = N if request.split == "train" else 10
    values = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 1, 6, 6)).copy()
    return Split(values, np.arange(n) % 4, request.spec.classes or tuple("abcd"), {"made": "up"})


def described(request: DataRequest) -> Split:
    """The same, and of each image whether its number is odd, and whether it is below 5."""
    split = images(request)
    number = split.values[:, 0, 0, 0]
    return replace(split, attributes=np.stack([number % 2, number < 5], 1).astype(np.uint8), attribute_names=NAMES)


def heap(request: DataRequest) -> Split:
    """A training split and, though it might have one, no other."""
    if request.split != "train":
        raise NoSplit(f"there is no {request.split}")
    return images(request)


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
        "endless",
        kind="points",
        shape=(2,),
        load=f"{MODULE}:law",
        splits={"train": None, "test": None},
        modes=f"{MODULE}:modes",
    ),
    _dataset("described", load=f"{MODULE}:described"),
    _dataset("heap", load=f"{MODULE}:heap", splits={"train": None, "test": None}),
    _dataset("few", splits={"train": None, "test": None}),
    _dataset("lone", splits={"train": N}),
)
MODELS = (
    ModelSpec(name="pixels8", summary="", settings="x:y", build="x:y", kind="images", resolutions=(8, 16)),
    ModelSpec(name="plane", summary="", settings="x:y", build="x:y", kind="points"),
)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalogue of only these."""
    module: Any = ModuleType(MODULE)
    for load in (images, points, law, modes, empty, described, heap):
        setattr(module, load.__name__, load)

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
