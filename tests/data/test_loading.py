from __future__ import annotations

import json

import numpy as np
import pytest

from harness.data.loading import LAW_SET_SIZE, load_dataset, subset_index
from harness.errors import DataError, SettingsError, UnknownName


def test_splits_are_loaded_once_and_only_when_asked_for(made_up, calls, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path)
    assert calls == []
    assert data.split("train") is data.split("train")
    assert [(call.name, call.split, call.root) for call in calls] == [("squares", "train", tmp_path)]


def test_unknown_splits_offer_the_known_ones(made_up, tmp_path) -> None:
    with pytest.raises(UnknownName, match="unknown split of data set 'squares' 'tets'; did you mean 'test'"):
        load_dataset(made_up, "squares", tmp_path).split("tets")


def test_an_empty_split_is_an_error(made_up, tmp_path) -> None:
    with pytest.raises(DataError, match="split 'train' of data set 'empty' is empty"):
        load_dataset(made_up, "empty", tmp_path).split("train")


def test_a_fraction_cuts_training_but_not_the_reference_set(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fraction=0.2)
    assert len(data.training()) == 8
    assert len(data.split("train")) == 40
    assert data.problem().n_train == 8


def test_a_fraction_is_fixed_by_its_seed_alone(made_up, tmp_path) -> None:
    def kept(**options):
        return (
            load_dataset(made_up, "squares", tmp_path, fraction=0.5, **options).training().values[:, 0, 0, 0].tolist()
        )

    assert kept() == kept() != kept(subset_seed=1)
    assert kept() == sorted(set(kept()))


def test_smaller_fractions_are_parts_of_larger_ones() -> None:
    tenth, fifth = (set(subset_index(1000, fraction, 3).tolist()) for fraction in (0.1, 0.2))
    assert (len(tenth), len(fifth)) == (100, 200)
    assert tenth < fifth


def test_a_subset_is_a_uniform_draw() -> None:
    kept = np.zeros(50)
    for seed in range(400):
        kept[subset_index(50, 0.2, seed)] += 1
    # each item is kept 80 times on average, with standard deviation 8
    assert np.abs(kept - 80).max() < 5 * 8


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5, float("nan")])
def test_impossible_fractions_are_refused(made_up, tmp_path, fraction) -> None:
    with pytest.raises(SettingsError, match="fraction must be above 0 and at most 1"):
        load_dataset(made_up, "squares", tmp_path, fraction=fraction)


def test_an_endless_law_has_no_fraction(made_up, tmp_path) -> None:
    with pytest.raises(SettingsError, match="'endless' is an endless law: it has no fraction"):
        load_dataset(made_up, "endless", tmp_path, fraction=0.5)


def test_a_law_is_made_finite_with_a_seed_for_each_split(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "endless", tmp_path)
    once, again = data.finite("train"), data.finite("train")
    assert len(once) == LAW_SET_SIZE
    assert once.checksum == again.checksum
    assert data.problem().n_train is None
    assert data.problem().shape == (2,)
    assert data.modes().std == 1.0


def test_images_for_a_backbone_of_points_and_the_reverse_are_refused(made_up, tmp_path) -> None:
    with pytest.raises(
        SettingsError, match=r"'pixels8' makes images, but .* 'dots' holds points; use --set backbone=plane"
    ):
        load_dataset(made_up, "dots", tmp_path, backbone="pixels8")
    with pytest.raises(SettingsError, match=r"'plane' makes points, but .* 'squares' holds images"):
        load_dataset(made_up, "squares", tmp_path, backbone="plane")


def test_points_cannot_be_fitted(made_up, tmp_path) -> None:
    with pytest.raises(SettingsError, match="'dots' holds points, which fit=pad cannot change"):
        load_dataset(made_up, "dots", tmp_path, backbone="plane", fit="pad")


def test_images_are_fitted_in_every_split_and_the_record_says_how(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, backbone="pixels8", fit="pad")
    assert data.split("train").values.shape == (40, 1, 8, 8)
    assert data.split("test").values.shape == (10, 1, 8, 8)
    assert data.problem().shape == (1, 8, 8)
    assert data.record()["fit"] == "pad 6x6 -> 8x8"


def test_images_that_do_not_fit_are_refused_before_they_are_loaded(made_up, calls, tmp_path) -> None:
    with pytest.raises(SettingsError, match="cannot build 6x6 pixels"):
        load_dataset(made_up, "squares", tmp_path, backbone="pixels8")
    assert calls == []


def test_a_shape_that_depends_on_the_files_is_found_by_loading_once(made_up, calls, tmp_path) -> None:
    data = load_dataset(made_up, "found", tmp_path, backbone="pixels8", fit="pad")
    assert data.split("train").values.shape == (40, 1, 8, 8)
    assert len(calls) == 1


def test_images_of_another_shape_than_promised_are_refused(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "lying", tmp_path, backbone="pixels8", fit="resize")
    data.fit = data.fit.__class__("resize", (1, 9, 9), (1, 8, 8))
    with pytest.raises(DataError, match=r"images of 'lying' are \(1, 6, 6\)"):
        data.split("train")


def test_the_record_says_what_was_trained_on(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fraction=0.1, subset_seed=7)
    record = json.loads(json.dumps(data.record()))
    assert record == {
        "name": "squares",
        "kind": "images",
        "shape": [1, 6, 6],
        "range": [-1.0, 1.0],
        "classes": 4,
        "fit": "none",
        "fraction": 0.1,
        "subset_seed": 7,
        "train_items": 4,
        "train_checksum": data.training().checksum,
        "licence": "none",
        "source": "made up",
        "notes": {"made": "up"},
    }


def test_the_record_of_a_law_names_no_count(made_up, tmp_path) -> None:
    record = load_dataset(made_up, "endless", tmp_path).record()
    assert (record["train_items"], record["range"], record["subset_seed"]) == (None, None, None)
    assert len(record["train_checksum"]) == 64
