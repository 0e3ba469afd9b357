"""Features come in one pass over the images, and those of real ones are kept under all that could change them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from watched import Altered, Watched, calls, watch

from harness.catalog import Catalog
from harness.data import FittedShape, Fold, LoadedDataset, Split, fit_images, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, Features, GeneratedSet, RealSet, Statistics, StoredImages, StoredSet
from harness.evaluation.evidence.features import (
    FEATURE_BATCH,
    keep_statistics,
    kept_statistics,
    measured_by,
    measured_of,
    reference_key,
    statistics_key,
)
from harness.evaluation.reference_statistics.cache import ReferenceCache
from harness.evaluation.reference_statistics.gaussian import fit_gaussian

Toy = Callable[..., Any]

NAME = "digits-cnn"
WHOLE = Features(RealSet("train", 1437), NAME)
PART = Features(RealSet("train", 300), NAME)


@pytest.fixture
def bench(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(toy((1, 8, 8)), digits, catalog, seed=3, device="cpu")


def altered(dataset: LoadedDataset, split: Split, **changes: Any) -> LoadedDataset:
    """A data set of the same name that holds something else."""
    return replace(dataset, _splits={"train": split, "test": dataset.finite("test")}, **changes)


# -------------------------------------------------------------------------------------------------
# made
# -------------------------------------------------------------------------------------------------


def test_one_sampling_pass_serves_every_extractor_output_and_count(bench: Bench) -> None:
    one, two = watch(bench, "one"), watch(bench, "two")
    of = GeneratedSet(300, block=100)
    small, large = Features(of.resized(150), "one"), Features(of, "two")
    logits = Features(of.resized(200), "one", output="logits")
    bench.expect([small, logits, large])
    got = [bench.get(request) for request in (small, logits, large)]
    assert [len(rows) for rows in got] == [150, 200, 300]
    assert torch.equal(got[0], -got[1][:150])
    assert torch.equal(got[0], got[2][:150])
    assert len(bench.trained.sizes) == 3
    assert one.batches == two.batches == [FEATURE_BATCH] * 3


def test_images_that_somebody_wants_themselves_are_not_sampled_again_for_features(bench: Bench) -> None:
    watch(bench, "one")
    of = GeneratedSet(50, block=25)
    bench.expect([Features(of, "one"), of])
    bench.get(Features(of, "one"))
    bench.get(of)
    assert len(bench.trained.sizes) == 2


def test_features_do_not_depend_on_the_count_or_on_how_images_come(bench: Bench, toy: Toy) -> None:
    other = Bench(toy((1, 8, 8)), bench.dataset, bench.catalog, bench.seed, "cpu")
    many = bench.get(Features(GeneratedSet(290, block=29), "digits-cnn"))
    few = other.get(Features(GeneratedSet(130, block=29), "digits-cnn"))
    assert torch.equal(many[:130], few)


def test_generated_features_are_those_of_the_quantised_images(bench: Bench) -> None:
    of = GeneratedSet(10, block=10)
    expected = ((bench.get(of).images + 1) * 127.5).round().flatten(1) / 255
    assert torch.equal(bench.get(Features(of, "pixels")), expected)


def test_real_features_are_those_of_the_stored_images(bench: Bench) -> None:
    real = RealSet("train", 40)
    stored = torch.from_numpy(bench.get(real).values)
    assert torch.equal(bench.get(Features(real, "pixels")), stored.flatten(1).float() / 255)


def test_an_output_that_an_extractor_does_not_give_is_refused(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="'pixels' gives features, not logits"):
        bench.get(Features(GeneratedSet(4, block=4), "pixels", output="logits"))


def test_a_pass_that_breaks_puts_the_networks_back(bench: Bench) -> None:
    class Broken(Watched):
        def __call__(self, images: Tensor) -> dict[str, Tensor]:
            raise RuntimeError("broken")

    bench._extractors["broken"] = Broken()
    bench.trained.net.train()
    with pytest.raises(RuntimeError, match="broken"):
        bench.get(Features(GeneratedSet(200, block=100), "broken"))
    assert bench.trained.net.training


@pytest.mark.parametrize(("count", "parts"), [(20, [32]), (40, [32, 32]), (130, [32] * 5)])
def test_a_network_sees_parts_of_its_own_size_and_only_those_with_images(
    bench: Bench, count: int, parts: list[int]
) -> None:
    network = watch(bench, "small", batch=32)
    assert len(bench.get(Features(GeneratedSet(count, block=50), "small"))) == count
    assert network.batches == parts


def test_a_set_that_is_not_as_large_as_it_says_is_refused(bench: Bench) -> None:
    @dataclass(frozen=True)
    class Short(GeneratedSet):
        def blocks(self, bench: Bench) -> Generator[Tensor, None, None]:
            yield torch.zeros(self.count - 1, 1, 8, 8)

    with pytest.raises(EvaluationError, match="a set of 200 images was made of 199"):
        bench.get(Features(Short(200), "pixels"))


def test_how_and_of_what_features_were_made_goes_by_the_names_of_protocols(bench: Bench) -> None:
    spec = bench.catalog.extractor(NAME)
    assert spec.weights is not None
    assert measured_by(bench, replace(PART, output="logits")) == {
        "extractor": NAME,
        "extractor_sha256": spec.weights.sha256,
        "extractor_version": spec.version,
        "output": "logits",
        "resize": "native",
    }
    assert measured_of(bench, RealSet("test", 7)) == {
        "dataset": "digits",
        "fit": "none",
        "split": "test",
        "real_checksum": bench.dataset.finite("test").checksum,
    }


# -------------------------------------------------------------------------------------------------
# kept
# -------------------------------------------------------------------------------------------------


def test_other_data_of_the_same_name_is_computed_anew(fresh: Callable[..., Bench], digits: LoadedDataset) -> None:
    split = digits.finite("train")
    values = split.values.copy()
    values[700, 0, 3, 3] ^= 1
    assert calls(fresh(), WHOLE) > 0
    assert calls(fresh(altered(digits, replace(split, values=values))), WHOLE) > 0


def test_other_labels_are_other_data(fresh: Callable[..., Bench], digits: LoadedDataset) -> None:
    split = digits.finite("train")
    assert split.labels is not None
    fresh().get(WHOLE)
    assert calls(fresh(altered(digits, replace(split, labels=split.labels[::-1].copy()))), WHOLE) > 0


def test_images_fitted_otherwise_are_computed_anew(fresh: Callable[..., Bench], digits: LoadedDataset) -> None:
    split = digits.finite("train")
    fit = FittedShape("pad", (1, 8, 8), (1, 12, 12))
    padded = altered(digits, replace(split, values=fit_images(split.values, fit)), fit=fit)
    assert calls(fresh(), WHOLE) > 0
    assert calls(fresh(padded), WHOLE) > 0
    assert calls(fresh(padded), WHOLE) == 0


@pytest.mark.parametrize(
    ("other", "settings"),
    [
        (Features(RealSet("test", 300), NAME), {}),
        (replace(PART, output="logits"), {}),
        (PART, {"resize": "bilinear 32x32"}),
        (PART, {"batch": 64}),
    ],
    ids=["split", "output", "resize", "batch"],
)
def test_another_way_of_measuring_is_computed_anew(
    fresh: Callable[..., Bench], other: Features, settings: dict[str, Any]
) -> None:
    assert calls(fresh(), PART) > 0
    assert calls(fresh(), other, **settings) > 0
    assert calls(fresh(), other, **settings) == 0


def test_another_network_is_computed_anew(fresh: Callable[..., Bench], catalog: Catalog) -> None:
    fresh().get(PART)
    other = replace(PART, extractor="mnist-cnn")
    assert calls(fresh(), other, "mnist-cnn") > 0
    # even with the same weights, which two networks may read differently
    spec = replace(catalog.extractor("mnist-cnn"), weights=catalog.extractor(NAME).weights)
    assert calls(fresh(catalog=Altered(catalog, spec)), other, "mnist-cnn") > 0


def test_other_weights_of_the_same_network_are_computed_anew(fresh: Callable[..., Bench], catalog: Catalog) -> None:
    spec = catalog.extractor(NAME)
    assert spec.weights is not None
    other = Altered(catalog, replace(spec, weights=replace(spec.weights, sha256="0" * 64)))
    fresh().get(PART)
    assert calls(fresh(catalog=other), PART) > 0


def test_another_kind_of_device_or_torch_is_another_key(
    fresh: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = fresh(), fresh(device="cuda")
    watch(there, NAME)
    assert reference_key(here, PART) != reference_key(there, PART)
    before = reference_key(here, PART)
    monkeypatch.setattr("harness.evaluation.evidence.features.version", lambda package: "1.0")
    assert reference_key(here, PART) != before
    monkeypatch.undo()
    assert reference_key(here, PART) == before


def test_another_version_of_a_network_is_another_key(fresh: Callable[..., Bench], monkeypatch: Any) -> None:
    here = fresh()
    before = reference_key(here, PART)
    spec = here.catalog.extractor(NAME)
    monkeypatch.setitem(here.catalog._specs["extractor"], NAME, replace(spec, version=2))
    assert reference_key(here, PART) != before


def test_statistics_are_as_particular_as_features(fresh: Callable[..., Bench], digits: LoadedDataset) -> None:
    split = digits.finite("train")
    values = split.values.copy()
    values[0] = 0
    fresh().get(Statistics(WHOLE))
    assert calls(fresh(altered(digits, replace(split, values=values))), Statistics(WHOLE)) > 0
    assert calls(fresh(), Statistics(WHOLE), resize="bilinear 32x32") > 0
    assert statistics_key(fresh(), WHOLE) != reference_key(fresh(), WHOLE)


def test_nothing_is_kept_of_generated_images_or_of_pixels(
    fresh: Callable[..., Bench], cache: ReferenceCache, toy: Toy, digits: LoadedDataset
) -> None:
    fresh(trained=toy((1, 8, 8))).get(Features(GeneratedSet(20, block=10), NAME))
    stored = StoredImages(digits.finite("test"))
    fresh(trained=stored).get(Features(StoredSet(stored.checksum, 20), NAME))
    fresh().get(Statistics(Features(RealSet("train", 100), "pixels")))
    assert sorted(cache.folder.rglob("*.npz")) == []


def test_statistics_are_kept_for_the_count_that_they_are_of(fresh: Callable[..., Bench]) -> None:
    assert kept_statistics(fresh(), PART) is None
    fitted = fit_gaussian(torch.randn(300, 4, generator=torch.Generator().manual_seed(0)))
    keep_statistics(fresh(), PART, fitted)
    kept = kept_statistics(fresh(), PART)
    assert kept is not None
    assert torch.equal(kept.mean, fitted.mean)
    assert kept_statistics(fresh(), PART.resized(299)) is None


def test_folds_are_other_data_and_nothing_kept_of_the_published_splits_stands_in(
    fresh: Callable[..., Bench], catalog: Catalog, digits: LoadedDataset
) -> None:
    first, second = (load_dataset(catalog, "digits", digits.root, fold=Fold(n, 5)) for n in (1, 2))
    keys = [reference_key(fresh(data), PART) for data in (digits, first, second)]
    assert keys[0] is not None
    assert all(key is not None and key["folds"] == 5 for key in keys[1:])
    assert "folds" not in keys[0]
    assert len({key["real_checksum"] for key in keys if key is not None}) == 3
    first.split("train")
    published = replace(first, fold=None)  # the same images, as if they were stored so
    keep_statistics(fresh(published), PART, fit_gaussian(torch.randn(300, 64)))
    assert kept_statistics(fresh(published), PART) is not None
    assert kept_statistics(fresh(first), PART) is None
