"""Terms of a protocol: all that fixes a value stands in the record, and in the id where ids must tell it apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.catalog import Catalog
from harness.data import FittedShape, Fold, LoadedDataset, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Features,
    Gaussian,
    GeneratedSet,
    ImportedStatistics,
    MetricContext,
    RealSet,
    Statistics,
    StoredImages,
    StoredSet,
    Term,
    fit_gaussian,
)
from harness.evaluation.evidence.features import keep_statistics
from harness.evaluation.metrics.common_terms import feature_terms, generated_terms, real_terms, set_terms
from harness.evaluation.reference_statistics.cache import ReferenceCache
from harness.evaluation.reference_statistics.npz_file import StatisticsFile, read_statistics, write_statistics

NAME = "digits-cnn"
SAMPLES = GeneratedSet(300)
ROWS = torch.randn(100, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog, tmp_path: Path) -> Bench:
    return Bench(None, digits, catalog, 0, "cpu", cache=ReferenceCache(tmp_path / "kept"))


def file_about(folder: Path, **about: Any) -> StatisticsFile:
    """A file of statistics that says so much of itself."""
    write_statistics(folder / "s.npz", fit_gaussian(ROWS), about)
    return read_statistics(folder / "s.npz")


def test_the_terms_of_a_protocol_stand_in_a_fixed_order(
    offer: Callable[..., MetricContext], digits: LoadedDataset
) -> None:
    found = offer()
    real, generated = (found.features(of, NAME) for of in (found.real(), found.generated()))
    protocol = found.protocol("fd", Term("k", 3, "k3"), real=real, generated=generated)
    assert protocol.id == "fd[digits-cnn,native,train,1437x300,k3,uint8-round,block250,bn-eval]"
    assert list(protocol.record()) == [
        *("metric", "extractor", "extractor_sha256", "extractor_version", "output", "resize"),
        *("dataset", "fit", "split", "real_checksum", "real_count", "generated_count"),
        *("k", "quantise", "block", "batch_norm"),
    ]
    assert protocol.record()["real_checksum"] == digits.finite("train").checksum
    assert found.protocol("fd", Term("k", 3, "k3"), real=Statistics(real), generated=generated) == protocol


def test_a_fit_that_changed_the_images_stands_in_the_id(offer: Callable[..., MetricContext], catalog: Catalog) -> None:
    ids = []
    for fit in ("none", "pad", "resize"):
        digits = load_dataset(catalog, "digits", Path("unused"))
        digits.fit_beside(fit, 8 if fit == "none" else 10)
        found = offer(dataset=digits)
        ids.append(found.protocol("x", generated=found.generated(), real=found.real()).id)
    assert ids == [f"x[{fit}train,1437x300,block250,bn-eval]" for fit in ("", "pad10,", "resize10,")]


def test_protocols_of_one_side_say_that_side_alone(offer: Callable[..., MetricContext]) -> None:
    found = offer(batch_norm="standing", block=30)
    assert found.protocol("x", generated=found.generated()).id == "x[300,block30,bn-standing]"
    assert found.protocol("x", generated=found.features(found.generated(), NAME)).id == (
        "x[digits-cnn,native,300,uint8-round,block30,bn-standing]"
    )
    assert found.protocol("x", real=found.real(100)).id == "x[train,100]"
    assert found.protocol("x", real=found.real(100)).record()["real_count"] == 100


def test_protocols_without_real_images_name_no_data_set(
    offer: Callable[..., MetricContext], stored: StoredImages
) -> None:
    found = offer(stored, has_real=False)
    protocol = found.protocol("is", generated=found.features(found.generated(), NAME, "logits"))
    assert protocol.id == "is[digits-cnn,native,300,uint8-stored]"
    assert not {"dataset", "fit", "block", "batch_norm"} & protocol.record().keys()


def test_the_real_side_of_a_protocol_is_real(offer: Callable[..., MetricContext]) -> None:
    found = offer()
    with pytest.raises(EvaluationError, match="the real side of a protocol is a real set"):
        found.protocol("x", real=Features(GeneratedSet(3), NAME), generated=found.generated())


def test_how_images_were_fitted_is_a_field(offer: Callable[..., MetricContext], digits: LoadedDataset) -> None:
    padded = replace(digits, fit=FittedShape("pad", (1, 8, 8), (1, 12, 12)), _splits={})
    found = offer(dataset=padded)
    assert found.protocol("x", real=found.real()).record()["fit"] == "pad 8x8 -> 12x12"


def test_a_network_that_was_trained_here_is_known_by_its_weights(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    features = Features(RealSet("train", 9), NAME)
    (published, *_) = feature_terms(bench, features)
    assert published == Term("extractor", NAME, NAME)
    monkeypatch.setattr("harness.evaluation.metrics.common_terms.made_sha256", lambda spec: "0123456789abcdef" * 4)
    (made, *_) = feature_terms(bench, features)
    assert made == Term("extractor", NAME, f"{NAME}-0123456789ab")


def test_a_statistics_file_that_says_all_gives_the_terms_of_computing_them(bench: Bench, tmp_path: Path) -> None:
    real = RealSet("train", 100)
    checksum = bench.dataset.finite("train").checksum
    file = file_about(tmp_path, dataset="digits", fit="none", split="train", real_checksum=checksum, real_count=100)
    computed = real_terms(bench, Statistics(Features(real, NAME)), SAMPLES)
    assert real_terms(bench, ImportedStatistics(file), SAMPLES) == computed
    # where nothing else names the data set, the file does
    alone = Bench(None, bench.dataset, bench.catalog, 0, "cpu", has_real=False)
    assert set_terms(alone) == []
    told = real_terms(alone, ImportedStatistics(file), SAMPLES)
    assert {term.key: term.value for term in told} == {term.key: term.value for term in (*set_terms(bench), *computed)}


def test_what_a_statistics_file_leaves_out_is_a_question_mark(bench: Bench, tmp_path: Path) -> None:
    terms = real_terms(bench, ImportedStatistics(file_about(tmp_path, split="test")), SAMPLES)
    assert terms == [
        Term("split", "test", "test"),
        Term("real_checksum", "?"),
        Term("real_count", "?", "?x300"),
        Term("generated_count", 300),
    ]


def test_statistics_that_were_taken_over_are_named_by_their_file(
    digits: LoadedDataset, catalog: Catalog, tmp_path: Path
) -> None:
    features = Features(RealSet("train", 100), NAME)
    cache = ReferenceCache(tmp_path / "kept")
    keys = []
    for source in (None, "f" * 64):
        keep_statistics(Bench(None, digits, catalog, 0, "cpu", cache=cache), features, with_source(source))
        bench = Bench(None, digits, catalog, 0, "cpu", cache=cache)
        keys.append([(term.key, term.value) for term in real_terms(bench, Statistics(features), SAMPLES)])
    own, taken_over = keys
    assert taken_over == [("real_statistics_sha256", "f" * 64), *own]


def with_source(source: str | None) -> Gaussian:
    return replace(fit_gaussian(ROWS), source=source)


def test_samples_alone_are_counted_in_the_id(bench: Bench) -> None:
    assert real_terms(bench, None, SAMPLES) == [Term("generated_count", 300, "300")]


def test_of_stored_images_no_more_is_known_than_that_they_are_8_bits(bench: Bench, stored: StoredImages) -> None:
    images = StoredSet(stored.checksum, 20)
    for side in (images, Features(images, NAME)):
        assert generated_terms(bench, side) == [Term("quantise", "stored", "uint8-stored")]
    assert generated_terms(bench, RealSet("train", 20)) == []
    assert generated_terms(bench, None) == []


def test_folds_stand_beside_the_data_set_and_the_real_set_is_the_whole(catalog: Catalog, digits: LoadedDataset) -> None:
    data = load_dataset(catalog, "digits", digits.root, fold=Fold(2, 7))
    bench = Bench(None, data, catalog, 0, "cpu")
    assert set_terms(bench) == [Term("dataset", "digits"), Term("fit", "none"), Term("folds", 7, "folds7")]
    real = {term.key: term.value for term in real_terms(bench, RealSet("test", 256), None)}
    assert real["real_checksum"] == digits.split("train+test").checksum
