"""Every registered data set whose files are at hand: loads as its spec says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from harness.catalog import open_catalog
from harness.contracts.specs import DatasetSpec
from harness.data import DataRequest, Law, Split, load_dataset
from harness.errors import DataError


def specs() -> list[DatasetSpec]:
    return [spec for spec in open_catalog().all("dataset") if isinstance(spec, DatasetSpec) and spec.argument is None]


@pytest.fixture(params=specs(), ids=lambda spec: spec.name)
def spec(request) -> DatasetSpec:
    return request.param


def loaded(catalog, spec, split: str) -> Split | Law:
    root = Path(os.environ.get("HARNESS_TEST_DATA", "/nonexistent"))
    load = catalog.load_spec("dataset", spec.name, "load")
    try:
        return load(DataRequest(spec, root, split))
    except DataError as error:
        if not spec.files and spec.made_of is None:
            raise
        if "harness data fetch" not in str(error):
            raise
        pytest.skip(f"no files of {spec.name} at hand (HARNESS_TEST_DATA)")


def test_every_split_is_what_the_spec_says(catalog, spec):
    for split, size in spec.splits.items():
        data = loaded(catalog, spec, split)
        if isinstance(data, Law):
            assert size is None
            data = data.take(100, "test")
        elif size is not None:
            assert len(data) == size
        assert data.values.shape[1:] == spec.shape
        if spec.classes is not None:
            assert data.classes == spec.classes
        if data.labels is not None and len(data) > 1000:
            assert set(np.unique(data.labels)) == set(range(len(data.classes)))


def test_loading_twice_gives_the_same_checksum(catalog, spec):
    split = next(iter(spec.splits))
    assert loaded(catalog, spec, split).checksum == loaded(catalog, spec, split).checksum


def test_its_default_settings_make_it_fit_the_default_backbone_for_its_kind(catalog, spec):
    loaded(catalog, spec, "train")
    backbone = {"images": "biggan", "points": "mlp"}[spec.kind]
    root = Path(os.environ.get("HARNESS_TEST_DATA", "/nonexistent"))
    data = load_dataset(catalog, spec.name, root, fit=spec.defaults.get("fit", "none"), backbone=backbone)
    problem = data.problem()
    if spec.kind == "images":
        assert problem.shape[1] == problem.shape[2]
        assert problem.shape[1] in catalog.model(backbone).resolutions


def test_its_modes_are_where_its_points_are(catalog, spec):
    if spec.modes is None:
        return
    data = load_dataset(catalog, spec.name, Path("/nonexistent"))
    modes, points = data.modes(), data.finite("train").values
    distances = np.linalg.norm(points[:, None] - modes.means[None], axis=2)
    share = np.bincount(distances.argmin(1), minlength=len(modes.means)) / len(points)
    if modes.std < 0.1:  # well apart: everything is near a mode, in the stated shares
        assert distances.min(1).max() < 6 * modes.std
        np.testing.assert_allclose(share, modes.weights, atol=0.01)
    assert modes.weights.sum() == pytest.approx(1.0)
