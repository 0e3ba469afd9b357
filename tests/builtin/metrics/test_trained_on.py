"""What was trained on as evidence: the images that the fraction left, or the whole split as others ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.builtin.metrics.trained_on import TrainedOn, trained_count, trained_features, trained_terms
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split, load_dataset
from harness.doctor.patients import Replay
from harness.errors import EvaluationError
from harness.evaluation import Bench, MetricContext
from harness.evaluation.evidence.image_sets import RealSet, order_of


def offered(dataset: LoadedDataset) -> tuple[Bench, MetricContext]:
    bench = Bench(Replay(dataset.finite("test")), dataset, dataset.catalog, 0, "cpu")
    return bench, MetricContext(bench, EvaluationSettings())


@pytest.fixture(scope="module")
def quarter(catalog: Catalog) -> LoadedDataset:
    """A quarter of the digits to train on."""
    return load_dataset(catalog, "digits", Path("unused"), fraction=0.25)


def kept(dataset: LoadedDataset) -> Split:
    training = dataset.training()
    assert isinstance(training, Split)
    return training


def test_a_fraction_is_counted_as_what_it_left(quarter: LoadedDataset, digits: LoadedDataset) -> None:
    assert trained_count(offered(quarter)[1]) == len(kept(quarter)) == 359
    assert trained_count(offered(digits)[1]) == 1437


def test_of_a_fraction_the_images_it_left_are_the_evidence(quarter: LoadedDataset) -> None:
    bench, context = offered(quarter)
    features = trained_features(context, "pixels", 359)
    assert features.of == TrainedOn(359)
    found = bench.get(features.of)
    np.testing.assert_array_equal(found.values, kept(quarter).values[order_of(359)])
    np.testing.assert_array_equal(found.labels, kept(quarter).labels[order_of(359)])


def test_of_a_whole_split_it_is_what_other_metrics_ask_for_too(digits: LoadedDataset) -> None:
    _, context = offered(digits)
    features = trained_features(context, "pixels", 100)
    assert features.of == RealSet("train", 100)
    assert features == context.features(context.real(100, "train"), "pixels")


def test_either_evidence_has_the_same_images_in_the_same_order(digits: LoadedDataset) -> None:
    bench, context = offered(digits)
    shared = trained_features(context, "pixels", 100).of
    np.testing.assert_array_equal(bench.get(shared).values, bench.get(TrainedOn(100)).values)


def test_the_split_that_was_trained_on_is_taken_whatever_its_name(catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"), train_split="test")
    bench = Bench(Replay(digits.finite("test")), digits, catalog, 0, "cpu")
    features = trained_features(MetricContext(bench, EvaluationSettings()), "pixels", 100)
    np.testing.assert_array_equal(
        bench.get(features.of).values, digits.finite("test").subset(order_of(360)[:100]).values
    )


def test_the_protocol_says_which_images_and_how_many_of_them(quarter: LoadedDataset, digits: LoadedDataset) -> None:
    for dataset in (quarter, digits):
        _, context = offered(dataset)
        checksum, count = trained_terms(context, trained_features(context, "pixels", 30))
        assert (checksum.key, checksum.value) == ("training_checksum", kept(dataset).checksum)
        assert (count.key, count.value) == ("training_count", 30)


@pytest.mark.parametrize("count", [0, 360])
def test_more_than_was_trained_on_is_refused_by_name(quarter: LoadedDataset, count: int) -> None:
    bench, _ = offered(quarter)
    said = f"^what is trained on of data set 'digits' has 359 items, not {count}$"
    with pytest.raises(EvaluationError, match=said):
        bench.get(TrainedOn(count))
