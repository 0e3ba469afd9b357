"""Labels, known modes and training images are those of the data set; what it lacks is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.catalog import Catalog
from harness.data import LoadedDataset, Split, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, KnownModes, Labels, RealSet, TrainingImages

Toy = Callable[..., Any]


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(None, digits, catalog, seed=3, device="cpu")


def test_labels_of_real_items_are_those_of_the_split(bench: Bench) -> None:
    found = bench.get(Labels(RealSet("test", 360)))
    assert torch.equal(found, torch.from_numpy(bench.get(RealSet("test", 360)).labels))
    assert torch.equal(bench.get(Labels(RealSet("test", 30))), found[:30])


def test_labels_that_are_not_there_are_refused(bench: Bench, catalog: Catalog, digits: LoadedDataset) -> None:
    bare = replace(digits, _splits={"train": Split(digits.finite("train").values, None, ())})
    with pytest.raises(EvaluationError, match="'digits' has no labels"):
        Bench(None, bare, catalog, 0, "cpu").get(Labels(RealSet("train", 5)))


def test_known_modes_come_from_the_data_set(bench: Bench, ring2d: LoadedDataset) -> None:
    assert Bench(None, ring2d, bench.catalog, 0, "cpu").get(KnownModes()).means.shape == (8, 2)
    with pytest.raises(EvaluationError, match="'digits' has no known modes"):
        bench.get(KnownModes())


def test_training_images_are_those_of_the_fraction_in_stored_order(catalog: Catalog, digits: LoadedDataset) -> None:
    quarter = load_dataset(catalog, "digits", Path("unused"), fraction=0.25)
    found = Bench(None, quarter, catalog, 0, "cpu").get(TrainingImages())
    assert len(found) == round(0.25 * 1437)
    stored = [image.tobytes() for image in digits.finite("train").values]
    places = [stored.index(image.tobytes()) for image in found.values]
    assert places == sorted(set(places))


def test_training_images_are_of_the_split_that_is_trained_on(catalog: Catalog) -> None:
    turned = load_dataset(catalog, "digits", Path("unused"), train_split="test")
    found = Bench(None, turned, catalog, 0, "cpu").get(TrainingImages())
    assert np.array_equal(found.values, turned.finite("test").values)


def test_an_endless_law_has_no_training_images(catalog: Catalog) -> None:
    law = load_dataset(catalog, "gaussian_clusters", Path("unused"))
    with pytest.raises(EvaluationError, match="'gaussian_clusters' is an endless law: it has no training images"):
        Bench(None, law, catalog, 0, "cpu").get(TrainingImages())
