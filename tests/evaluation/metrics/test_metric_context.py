from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from image_files import write_images

from harness.catalog import Catalog
from harness.contracts.capabilities import Sampler, StyleSpace
from harness.contracts.settings import EvaluationSettings
from harness.data import Fold, LoadedDataset, NoSplit, Split, load_dataset
from harness.errors import EvaluationError
from harness.evaluation import (
    Bench,
    Features,
    GeneratedSet,
    Inapplicable,
    MetricContext,
    OutlierSet,
    RealSet,
    Reported,
    Statistics,
    StoredImages,
    StoredSet,
    Term,
    check_evaluation,
    evaluate,
)

Toy = Callable[..., Any]

NAME = "digits-cnn"


@pytest.fixture
def heap(catalog: Catalog, tmp_path: Path) -> LoadedDataset:
    """A folder of 20 images without labels and without splits."""
    folder = write_images(tmp_path / "heap", np.zeros((20, 1, 8, 8), np.uint8))
    return load_dataset(catalog, f"folder:{folder}", tmp_path)


# -------------------------------------------------------------------------------------------------
# both sides
# -------------------------------------------------------------------------------------------------


def test_samples_are_as_many_as_the_settings_say_and_at_most_as_asked(offer: Callable[..., MetricContext]) -> None:
    found = offer(block=50, batch_norm="train")
    assert found.generated() == GeneratedSet(300, 50, "train")
    assert found.generated(100) == GeneratedSet(100, 50, "train")
    assert found.generated(1000).items() == 300


def test_stored_images_stand_in_for_samples(offer: Callable[..., MetricContext], stored: StoredImages) -> None:
    found = offer(stored, samples=50_000)
    assert found.generated() == StoredSet(stored.checksum, 360)
    assert found.generated(100) == StoredSet(stored.checksum, 100)
    assert offer(stored, samples=40).generated(100) == StoredSet(stored.checksum, 40)


@pytest.mark.parametrize(("split", "splits"), [("train", ("train",)), ("test", ("test",)), ("both", ("train", "test"))])
def test_real_splits_are_those_that_the_settings_name(
    offer: Callable[..., MetricContext], split: str, splits: tuple[str, ...]
) -> None:
    found = offer(split=split)
    sizes = {"train": 1437, "test": 360}
    assert found.splits() == splits
    assert found.real() == RealSet(splits[0], sizes[splits[0]])
    assert found.real(50) == RealSet(splits[0], 50)
    assert found.real(1000, "test") == RealSet("test", 360)
    assert found.references(NAME) == [Statistics(Features(RealSet(name, sizes[name]), NAME)) for name in splits]
    assert found.held_out() == "test"


def test_frechet_distances_alone_take_as_many_real_items_as_the_settings_say(
    offer: Callable[..., MetricContext],
) -> None:
    found = offer(split="both", real_samples=400)
    sets = [RealSet("train", 400), RealSet("test", 360)]
    assert found.references(NAME) == [Statistics(Features(real, NAME)) for real in sets]
    assert found.real() == RealSet("train", 1437)
    protocol = found.protocol("fd", generated=found.features(found.generated(), NAME), real=found.references(NAME)[0])
    assert ",train,400x300," in protocol.id


def test_splits_joined_are_one_real_set(offer: Callable[..., MetricContext]) -> None:
    found = offer(split="train+test")
    assert found.splits() == ("train+test",)
    assert found.real() == RealSet("train+test", 1797)


def test_what_was_trained_on_is_not_held_out(offer: Callable[..., MetricContext], catalog: Catalog) -> None:
    whole = load_dataset(catalog, "digits", Path("unused"), train_split="train+test")
    assert offer(dataset=whole).held_out() == "train+test"
    turned = load_dataset(catalog, "digits", Path("unused"), train_split="test")
    assert offer(dataset=turned).held_out() == "train"


def test_without_a_test_split_nothing_is_held_out(offer: Callable[..., MetricContext], heap: LoadedDataset) -> None:
    assert offer(dataset=heap).held_out() == "train"
    with pytest.raises(NoSplit, match="has no test split"):
        offer(dataset=heap, split="test").real()


def test_where_nothing_real_is_given_what_needs_it_does_not_apply(
    offer: Callable[..., MetricContext], stored: StoredImages
) -> None:
    found = offer(stored, has_real=False, outliers=("digits",))
    calls = (found.splits, found.real, found.held_out, found.has_labels, found.outlier_sets)
    for call in (*calls, lambda: found.references("pixels")):
        with pytest.raises(Inapplicable, match="no real images are given"):
            call()
    assert found.extractors() == ["digits-cnn", "pixels"]


def test_the_shape_of_stored_images_is_their_own_where_nothing_real_is_given(
    offer: Callable[..., MetricContext], stored: StoredImages, heap: LoadedDataset
) -> None:
    assert offer(stored, dataset=heap, has_real=False, split="test").extractors() == ["pixels"]
    with pytest.raises(EvaluationError, match="takes 1x28x28"):
        offer(stored, has_real=False, extractors=("mnist-cnn",)).extractors()


def test_labels_of_both_sides(
    offer: Callable[..., MetricContext], stored: StoredImages, heap: LoadedDataset, digits: LoadedDataset
) -> None:
    assert offer().has_labels()
    assert not offer(dataset=heap).has_labels()
    assert not offer().told_labels()
    assert offer(stored).told_labels()
    assert not offer(StoredImages(Split(digits.finite("test").values, None, ()))).told_labels()


def test_outlier_sets_have_to_be_named(offer: Callable[..., MetricContext]) -> None:
    with pytest.raises(Inapplicable, match="no outlier set is named"):
        offer().outlier_sets()
    assert offer(outliers=("digits",)).outlier_sets() == [OutlierSet("digits", "test", 1.0, 360)]


# -------------------------------------------------------------------------------------------------
# networks and capabilities
# -------------------------------------------------------------------------------------------------


def test_networks_are_those_of_the_data_set_or_of_the_settings(offer: Callable[..., MetricContext]) -> None:
    assert offer().extractors() == ["digits-cnn", "pixels"]
    assert offer().extractors("logits") == ["digits-cnn"]
    assert offer(extractors=("pixels", "pixels")).extractors() == ["pixels"]
    with pytest.raises(Inapplicable, match=r"no extractor in use \(pixels\) gives logits"):
        offer(extractors=("pixels",)).extractors("logits")
    assert offer().spec(NAME).name == NAME


@pytest.mark.parametrize("rule", ["round", "truncate", "none"])
def test_only_samples_are_quantised_by_the_rule_of_the_settings(
    offer: Callable[..., MetricContext], stored: StoredImages, rule: str
) -> None:
    found = offer(quantise=rule)
    assert found.features(found.generated(), NAME) == Features(GeneratedSet(300), NAME, "features", rule)
    assert found.features(found.real(), NAME, "logits") == Features(found.real(), NAME, "logits", "round")
    of_stored = offer(stored, quantise=rule)
    assert of_stored.features(of_stored.generated(), NAME).quantise == "round"


def test_truncation_gives_other_features_under_another_id(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    bench = Bench(toy((1, 8, 8)), digits, catalog, 0, "cpu")
    rules: Any = ("round", "truncate")
    rounded, truncated = (bench.get(Features(GeneratedSet(50), "pixels", quantise=rule)) for rule in rules)
    assert set(((rounded - truncated) * 255).round().unique().tolist()) == {0.0, 1.0}
    for rule in rules:
        settings = EvaluationSettings(samples=50, metrics=("fd",), extractors=("pixels",), quantise=rule)
        ids = check_evaluation(toy((1, 8, 8)), dataset=digits, settings=settings, catalog=catalog)
        assert ids == [f"fd[pixels,native,train,1437x50,uint8-{rule},block250,bn-eval]"]


def test_unrounded_samples_give_the_features_of_their_floats_under_an_id_of_their_own(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    bench = Bench(toy((1, 8, 8)), digits, catalog, 0, "cpu")
    rounded, floats = (bench.get(Features(GeneratedSet(50), "pixels", quantise=rule)) for rule in ("round", "none"))
    samples = (bench.get(GeneratedSet(50)).images.clamp(-1, 1) + 1) / 2
    assert torch.allclose(floats, samples.flatten(1), rtol=0, atol=1e-6)
    away = (rounded - floats).abs() * 255
    assert 0.4 < float(away.max()) <= 0.5001
    settings = EvaluationSettings(samples=50, metrics=("fd",), extractors=("pixels",), quantise="none")
    (entry,) = evaluate(toy((1, 8, 8)), dataset=digits, settings=settings, catalog=catalog, seed=0, device="cpu")
    assert entry.protocol_id == "fd[pixels,native,train,1437x50,float255,block250,bn-eval]"
    assert entry.protocol["quantise"] == "none"


def test_a_network_made_for_8_bits_is_never_shown_floats(
    offer: Callable[..., MetricContext], stored: StoredImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, of_stored = offer(quantise="none"), offer(stored, quantise="none")
    for each in (found, of_stored):
        monkeypatch.setattr(each._bench.extractor(NAME), "unrounded", False, raising=False)
    with pytest.raises(EvaluationError, match=f"'{NAME}' takes images of 8 bits only, and evaluation.quantise is none"):
        found.features(found.generated(), NAME)
    assert found.features(found.real(), NAME).quantise == "round"
    assert of_stored.features(of_stored.generated(), NAME).quantise == "round"


def test_capabilities_are_asked_for_by_name_or_as_protocols(offer: Callable[..., MetricContext]) -> None:
    assert offer().can("sample")
    assert offer().can(Sampler)
    assert not offer().can("reconstruct")
    offer().require("sample")
    with pytest.raises(Inapplicable, match="no capability 'reconstruct'"):
        offer().require("reconstruct")
    with pytest.raises(Inapplicable, match="no capability 'StyleSpace'"):
        offer().require(StyleSpace)


# -------------------------------------------------------------------------------------------------
# protocols
# -------------------------------------------------------------------------------------------------


def test_outlier_terms_tell_sets_apart_by_content_and_say_what_was_done_to_them(
    offer: Callable[..., MetricContext], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), dtype=np.uint8)
    texts = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        np.savez(tmp_path / place / "x.npz", arr_0=pixels)
        found = offer(outliers=(f"npz:{tmp_path / place / 'x.npz'}",))
        texts.append([term.text for term in found.outlier_terms(found.outlier_sets()[0])])
    assert texts[0] == texts[1]
    name, split, _, fit, _, intensity = texts[0]
    assert (name or "").startswith("npz-")
    assert (split, fit, intensity) == ("outliers-train", "resize", "intensity1")


# -------------------------------------------------------------------------------------------------
# the plan
# -------------------------------------------------------------------------------------------------


class Costly:
    """A catalog whose Fréchet distance waits to be asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def all(self, kind: str) -> list[Any]:
        specs: list[Any] = self._catalog.all(kind)  # type: ignore[arg-type,assignment]
        return [replace(spec, by_default=False) if "fd" in spec.names else spec for spec in specs]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)


def test_costly_metrics_are_left_out_unless_they_are_named(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    def names(**settings: Any) -> set[str]:
        chosen = EvaluationSettings(samples=300, extractors=("pixels",), **settings)
        costly: Any = Costly(catalog)
        ids = check_evaluation(toy((1, 8, 8)), dataset=digits, settings=chosen, catalog=costly)
        return {each.partition("[")[0] for each in ids}

    assert "precision" in names()
    assert "fd" not in names()
    assert names(metrics=("fd",)) == {"fd"}


def test_a_named_metric_that_needs_real_images_is_refused_without_them(
    stored: StoredImages, catalog: Catalog, digits: LoadedDataset
) -> None:
    def measured(**settings: Any) -> set[str]:
        chosen = EvaluationSettings(extractors=(NAME,), **settings)
        entries = evaluate(
            stored, dataset=digits, settings=chosen, catalog=catalog, seed=0, device="cpu", has_real=False
        )
        return {entry.metric for entry in entries}

    found = measured()
    assert "is" in found
    assert not {"fd", "precision"} & found
    with pytest.raises(EvaluationError, match="metric 'recall' cannot be measured here: no real images are given"):
        measured(metrics=("recall",))


def test_both_splits_give_a_number_each(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    settings = EvaluationSettings(samples=100, metrics=("fd",), extractors=("pixels",), split="both")
    assert check_evaluation(toy((1, 8, 8)), dataset=digits, settings=settings, catalog=catalog) == [
        "fd[pixels,native,train,1437x100,uint8-round,block250,bn-eval]",
        "fd[pixels,native,test,360x100,uint8-round,block250,bn-eval]",
    ]


# -------------------------------------------------------------------------------------------------
# what a method says of itself
# -------------------------------------------------------------------------------------------------


def test_a_number_that_is_reported_is_asked_for_by_name(offer: Callable[..., MetricContext]) -> None:
    numbers: dict[str, float] = {"prior": float("nan"), "gap": 1.0}  # as they may be before training
    found = offer(SimpleNamespace(networks={}, reported=lambda: numbers))
    assert found.reported("prior") == Reported("prior")
    with pytest.raises(Inapplicable, match=r"the method does not report 'scale' \(it reports: prior, gap\)"):
        found.reported("scale")
    numbers.clear()
    with pytest.raises(Inapplicable, match=r"the method does not report 'prior' \(it reports: nothing\)"):
        found.reported("prior")
    with pytest.raises(Inapplicable, match="the method has no capability 'reported'"):
        offer().reported("prior")


def test_calibration_is_a_term_only_where_it_is_by_test_images(
    offer: Callable[..., MetricContext], heap: LoadedDataset
) -> None:
    trained = SimpleNamespace(networks={}, calibrate=lambda blocks: None)
    assert offer().calibration_terms() == offer(trained).calibration_terms() == []
    trained.calibrated_on = "test"
    assert offer(trained).calibration_terms() == [Term("calibrated_on", "test", "calibrated-test")]
    with pytest.raises(EvaluationError, match=r"has no test split$"):
        offer(trained, dataset=heap).calibration_terms()


def test_with_a_fold_a_whole_split_is_as_much_as_every_fold_has(catalog: Catalog, toy: Toy) -> None:
    for number in (1, 2):  # of 256 and 257 images
        data = load_dataset(catalog, "digits", Path("unused"), fold=Fold(number, 7))
        found = MetricContext(Bench(toy((1, 8, 8)), data, catalog, 0, "cpu"), EvaluationSettings())
        assert (found.real(split="test").count, found.real().count) == (256, 1540)
        assert found.held_out() == "test"
