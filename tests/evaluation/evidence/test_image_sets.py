from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import write_images
from torch import Tensor

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.stream import as_float
from harness.data import FittedShape, LoadedDataset, Split, load_dataset
from harness.errors import EvaluationError, SettingsError, UnknownName
from harness.evaluation import Bench, Features, MetricContext, OutlierSet
from harness.evaluation.evidence.image_sets import OutlierSplit, order_of


@pytest.fixture
def strangers(tmp_path: Path) -> str:
    """A data set of 50 random grey images of 8x8 pixels, of one split."""
    values = np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8), dtype=np.uint8)
    return f"folder:{write_images(tmp_path / 'strangers', values)}"


@pytest.fixture
def bench(digits: LoadedDataset, catalog: Catalog) -> Bench:
    return Bench(None, digits, catalog, 0, "cpu")


def floats(split: Split) -> Tensor:
    return as_float(torch.from_numpy(split.values))


def own(bench: Bench, among: int, split: str = "test") -> Tensor:
    """Images of the data set with the numbers of the outliers, in the order in which `among` of those are taken."""
    partners = floats(bench.dataset.finite(split))
    return partners[order_of(among) % len(partners)]


def others(catalog: Catalog, name: str, split: str = "train") -> Tensor:
    values = floats(load_dataset(catalog, name, Path("unused")).finite(split))
    return values[order_of(len(values))]


# -------------------------------------------------------------------------------------------------
# mixtures
# -------------------------------------------------------------------------------------------------


def test_at_full_intensity_the_images_are_the_outliers(bench: Bench, catalog: Catalog, strangers: str) -> None:
    found = bench.get(OutlierSet(strangers, "test", 1.0, 50))
    assert torch.equal(found, others(catalog, strangers))


@pytest.mark.parametrize("intensity", [0.1, 0.5, 0.9])
def test_a_mixture_is_exact_and_never_rounded_to_bytes(
    bench: Bench, catalog: Catalog, strangers: str, intensity: float
) -> None:
    found = bench.get(OutlierSet(strangers, "test", intensity, 50))
    assert torch.equal(found, intensity * others(catalog, strangers) + (1 - intensity) * own(bench, 50))
    levels = (found.double() + 1) * 127.5
    assert ((levels - levels.round()).abs() > 0.05).float().mean() > 0.3


def test_partners_have_the_same_number_whatever_the_count(bench: Bench, strangers: str) -> None:
    many = bench.get(OutlierSet(strangers, "test", 0.3, 50))
    assert torch.equal(OutlierSet(strangers, "test", 0.3, 7).make(bench), many[:7])
    assert torch.equal(bench.get(OutlierSet(strangers, "test", 0.3, 7)), many[:7])


def test_partners_come_from_the_split_that_is_named(bench: Bench, catalog: Catalog, strangers: str) -> None:
    found = bench.get(OutlierSet(strangers, "train", 0.5, 20))
    assert torch.equal(found, (0.5 * others(catalog, strangers) + 0.5 * own(bench, 50, "train"))[:20])


def test_the_named_split_of_the_outliers_is_taken_where_they_have_it(bench: Bench, catalog: Catalog) -> None:
    found = bench.get(OutlierSet("digits", "test", 1.0, 30))
    assert torch.equal(found, others(catalog, "digits", "test")[:30])
    assert bench.get(OutlierSplit("digits", "test")).notes["split"] == "test"


def test_a_part_of_outliers_that_are_sorted_by_class_is_not_one_class(bench: Bench, tmp_path: Path) -> None:
    grey = np.repeat(np.arange(10, dtype=np.uint8) * 20, 100)  # ten classes, one after the other
    name = f"folder:{write_images(tmp_path / 'sorted', np.broadcast_to(grey[:, None, None, None], (1000, 1, 8, 8)))}"
    found = bench.get(OutlierSet(name, "test", 1.0, 360))
    assert len(found[:, 0, 0, 0].unique()) == 10


def test_partners_are_counted_round_where_there_are_more_outliers(bench: Bench, catalog: Catalog) -> None:
    digits = load_dataset(catalog, "digits", Path("unused"))
    found = bench.get(OutlierSet("digits", "test", 1e-6, 360))
    assert torch.allclose(found, floats(digits.finite("test"))[order_of(360)], atol=1e-4)
    more = Bench(None, digits, catalog, 0, "cpu")
    more._made[OutlierSplit("digits", "test")] = digits.finite("train")  # 1437 outliers beside 360 images
    assert torch.allclose(more.get(OutlierSet("digits", "test", 1e-6, 900)), own(bench, 1437)[:900], atol=1e-4)


def test_a_mixture_may_be_streamed_through_networks(bench: Bench, strangers: str) -> None:
    request = OutlierSet(strangers, "test", 0.1, 50)
    levels = bench.get(Features(request, "pixels")) * 255
    assert torch.equal(levels, request.make(bench).add(1).mul(127.5).round().clamp(0, 255).flatten(1))


# -------------------------------------------------------------------------------------------------
# made to fit
# -------------------------------------------------------------------------------------------------


def fitted(catalog: Catalog, folder: Path, side: int, how: str, after: int) -> LoadedDataset:
    values = np.random.default_rng(1).integers(1, 256, (30, 1, side, side), dtype=np.uint8)
    loaded = load_dataset(catalog, f"folder:{write_images(folder / f'own{side}{how}', values)}", folder)
    loaded.fit = FittedShape(how, (1, side, side), (1, after, after))
    return loaded


def test_outliers_are_padded_where_the_data_set_was(catalog: Catalog, tmp_path: Path) -> None:
    white = np.full((30, 1, 28, 28), 255, dtype=np.uint8)
    name = f"folder:{write_images(tmp_path / 'white', white)}"
    bench = Bench(None, fitted(catalog, tmp_path, 28, "pad", 32), catalog, 0, "cpu")
    for intensity in (1.0, 0.25):
        found = bench.get(OutlierSet(name, "train", intensity, 30))
        assert found.shape == (30, 1, 32, 32)
        border = torch.ones(32, 32, dtype=torch.bool)
        border[2:30, 2:30] = False
        assert (found[..., border] == -1).all()
        assert (found[..., ~border] > -1).all()


def test_outliers_are_resized_where_the_data_set_was_or_was_left_alone(catalog: Catalog, tmp_path: Path) -> None:
    from harness.data.fit import resized

    small = np.random.default_rng(2).integers(0, 256, (30, 1, 12, 12), dtype=np.uint8)
    name = f"folder:{write_images(tmp_path / 'small', small)}"
    expected = as_float(torch.from_numpy(resized(small, 16)))
    for how, side in (("resize", 10), ("none", 16), ("crop", 20)):
        dataset = fitted(catalog, tmp_path, side, how, 16)
        if how == "crop":
            assert dataset.fit is not None
            dataset.fit = replace(dataset.fit, crop=16)
        bench = Bench(None, dataset, catalog, 0, "cpu")
        assert torch.equal(bench.get(OutlierSet(name, "train", 1.0, 30)), expected[order_of(30)]), how
        assert "12x12 -> 16x16" in bench.get(OutlierSplit(name, "train")).notes["fit"]


def test_outliers_too_large_to_be_padded_are_refused(catalog: Catalog, tmp_path: Path) -> None:
    large = np.zeros((3, 1, 40, 40), np.uint8)
    name = f"folder:{write_images(tmp_path / 'large', large)}"
    bench = Bench(None, fitted(catalog, tmp_path, 28, "pad", 32), catalog, 0, "cpu")
    with pytest.raises(SettingsError, match="/large' are 40x40, and fit=pad does not make them 32x32"):
        bench.get(OutlierSet(name, "train", 1.0, 3))


def test_outliers_beside_images_that_are_not_square_are_refused(catalog: Catalog, tmp_path: Path) -> None:
    oblong, square = (np.zeros((3, 1, 8, width), np.uint8) for width in (12, 8))
    names = [f"folder:{write_images(tmp_path / name, values)}" for name, values in (("a", oblong), ("b", square))]
    bench = Bench(None, load_dataset(catalog, names[0], tmp_path), catalog, 0, "cpu")
    assert bench.get(OutlierSet(names[0], "train", 1.0, 3)).shape == (3, 1, 8, 12)
    with pytest.raises(EvaluationError, match="/a' are not square, and nothing is made to fit them"):
        bench.get(OutlierSet(names[1], "train", 1.0, 3))


# -------------------------------------------------------------------------------------------------
# refused
# -------------------------------------------------------------------------------------------------


def test_other_channels_are_refused(bench: Bench, catalog: Catalog, tmp_path: Path) -> None:
    name = f"folder:{write_images(tmp_path / 'colour', np.zeros((4, 3, 8, 8), np.uint8))}"
    with pytest.raises(EvaluationError, match="have 3 channels, those of 'digits' 1; name data sets"):
        bench.get(OutlierSet(name, "test", 1.0, 4))


def test_points_are_refused(bench: Bench) -> None:
    with pytest.raises(EvaluationError, match="outliers are images: 'ring2d' holds points"):
        bench.get(OutlierSet("ring2d", "test", 1.0, 4))


def test_an_unknown_data_set_is_refused_with_near_names(bench: Bench) -> None:
    with pytest.raises(UnknownName, match="unknown data set 'minst'; did you mean 'mnist'"):
        bench.get(OutlierSet("minst", "test", 1.0, 4))


# -------------------------------------------------------------------------------------------------
# on offer
# -------------------------------------------------------------------------------------------------


def offered(bench: Bench, **settings: Any) -> list[OutlierSet]:
    return MetricContext(bench, EvaluationSettings(**settings)).outlier_sets()


def test_every_set_is_offered_at_every_intensity_with_as_many_items_as_inliers(bench: Bench, strangers: str) -> None:
    assert offered(bench, outliers=(strangers, "digits"), intensities=(1.0, 0.1)) == [
        OutlierSet(strangers, "test", 1.0, 50),
        OutlierSet(strangers, "test", 0.1, 50),
        OutlierSet("digits", "test", 1.0, 360),
        OutlierSet("digits", "test", 0.1, 360),
    ]


def test_an_unknown_set_is_refused_before_any_work(bench: Bench) -> None:
    with pytest.raises(UnknownName, match="did you mean 'digits'"):
        offered(bench, outliers=("digit",))


@pytest.mark.parametrize("intensity", [0.0, -0.1, 1.1])
def test_an_intensity_outside_its_range_is_refused(intensity: float) -> None:
    with pytest.raises(ValueError, match="intensities"):
        EvaluationSettings(intensities=(intensity,))
