from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from harness.builtin.datasets.digits import as_uint8, load
from harness.contracts.data import DataRequest


def test_levels_go_to_the_full_range_and_back() -> None:
    levels = np.arange(17, dtype=np.float64)
    stored = as_uint8(levels)
    assert stored[0] == 0
    assert stored[16] == 255
    np.testing.assert_array_equal(np.rint(stored.astype(float) * 16 / 255), levels)


def test_the_two_splits_are_all_of_the_data_once(spec_of, tmp_path) -> None:
    train, test = (load(DataRequest(spec_of("digits"), tmp_path, split)) for split in ("train", "test"))
    assert train.values.shape == (1437, 1, 8, 8)
    assert test.values.shape == (360, 1, 8, 8)
    both = np.concatenate([train.values, test.values])[:, 0]
    labels = np.concatenate([train.labels, test.labels])
    original = load_digits()
    rows = sorted((*image.ravel().tolist(), label) for image, label in zip(both, labels, strict=True))
    wanted = as_uint8(original.images)
    assert rows == sorted((*i.ravel().tolist(), t) for i, t in zip(wanted, original.target, strict=True))


def test_the_splits_never_change(spec_of, tmp_path) -> None:
    # results of published runs rest on these: a change is a new data set
    train, test = (load(DataRequest(spec_of("digits"), tmp_path, split)) for split in ("train", "test"))
    assert train.checksum == "765ff55b6884479d2dc4e2edd08d5fafdd96667dcd2fcbd18b2f7a48d9e97662"
    assert test.checksum == "c60644a0bf3910b4ca5c164b5914cc251bdae84349c6d5bf3b4853fc1758ca6e"


def test_every_class_is_in_both_splits(spec_of, tmp_path) -> None:
    for split in ("train", "test"):
        labels = load(DataRequest(spec_of("digits"), tmp_path, split)).labels
        assert set(labels.tolist()) == set(range(10))
