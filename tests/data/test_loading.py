from __future__ import annotations

import json

import numpy as np
import pytest

from harness.data.folds import Fold
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


# -- folds -----------------------------------------------------------------------------------------


def numbers(split) -> list[int]:
    """What the images of the made-up set are of, at their middle, which fitting keeps."""
    middle = split.values.shape[2] // 2
    return split.values[:, 0, middle, middle].tolist()


def test_a_fold_cuts_train_and_test_together_and_reads_each_once(made_up, calls, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fold=Fold(5, 5))  # 40 and 10 in five parts: the test split
    assert (numbers(data.split("train")), numbers(data.split("test"))) == ([*range(40)], [*range(10)])
    data = load_dataset(made_up, "squares", tmp_path, fold=Fold(2, 5))
    assert numbers(data.split("test")) == [*range(10, 20)]
    assert numbers(data.training()) == [*range(10), *range(20, 40), *range(10)]
    assert data.problem().n_train == 40
    assert [call.split for call in calls] == ["train", "test"] * 2


def test_a_fraction_is_of_what_the_fold_leaves(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fold=Fold(1, 5), fraction=0.5)
    whole = numbers(data.split("train"))
    assert numbers(data.training()) == [whole[n] for n in subset_index(40, 0.5, 0)]
    assert (len(whole), data.problem().n_train, data.training_count()) == (40, 20, 20)


@pytest.mark.parametrize("name", ["squares", "found"])  # `found` is read before it is known how to fit it
def test_what_is_cut_is_fitted_too(made_up, calls, tmp_path, name) -> None:
    data = load_dataset(made_up, name, tmp_path, backbone="pixels8", fit="pad", fold=Fold(2, 5))
    stored = load_dataset(made_up, name, tmp_path, backbone="pixels8", fit="pad").split("train+test")
    assert (numbers(data.split("test")), data.split("train").values.shape) == ([*range(10, 20)], (40, 1, 8, 8))
    assert data.checksum("test") == data.checksum("train") == stored.checksum
    assert len(calls) == 4


def test_all_folds_say_the_same_of_the_whole_and_not_of_themselves(made_up, tmp_path) -> None:
    found = [load_dataset(made_up, "squares", tmp_path, fold=Fold(n, 7)) for n in (1, 2)]  # of 7 and of 8 items
    whole = load_dataset(made_up, "squares", tmp_path).split("train+test").checksum
    assert [len(data.finite("test")) for data in found] == [7, 7]
    assert len(load_dataset(made_up, "squares", tmp_path, fold=Fold(7, 7)).finite("test")) == 8
    for data in found:
        assert {data.checksum("train"), data.checksum("test"), data.training_checksum()} == {whole}
        assert (data.count("train"), data.count("test"), data.training_count()) == (42, 7, 42)
        assert data.record()["folds_checksum"] == whole
    first, second = (data.record() for data in found)
    assert first["train_checksum"] == found[0].training().checksum != second["train_checksum"]


def test_another_part_of_the_training_data_is_other_training_data(made_up, tmp_path) -> None:
    options = [{}, {"fraction": 0.5}, {"fraction": 0.5, "subset_seed": 1}, {"fraction": 0.4}]

    def checksums(number: int) -> list[str]:
        fold = Fold(number, 7)
        return [load_dataset(made_up, "squares", tmp_path, fold=fold, **o).training_checksum() for o in options]

    assert checksums(1) == checksums(7)
    assert len(set(checksums(1))) == 4


def test_without_a_fold_protocols_are_told_of_the_splits_themselves(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fraction=0.5)
    assert (data.checksum("test"), data.count("test")) == (data.split("test").checksum, 10)
    assert (data.training_checksum(), data.training_count()) == (data.training().checksum, 20)
    assert "folds_checksum" not in data.record()
    with pytest.raises(DataError, match="'endless' is an endless law: its training items cannot be counted"):
        load_dataset(made_up, "endless", tmp_path).training_count()


@pytest.mark.parametrize(
    ("name", "fold", "options", "said"),
    [
        ("squares", "1/51", {}, "'squares' has 50 items, which cannot be cut into 51 folds"),
        ("squares", "1/2", {"train_split": "train+test"}, r"split 'train\+test' cannot be trained on with fold 1/2"),
        ("endless", "1/2", {}, "data set 'endless' is an endless law: it has no folds; leave --fold out"),
        ("heap", "1/2", {}, "data set 'heap' has no test split; leave --fold out"),
        ("few", "1/60", {}, "'few' has 50 items, which cannot be cut into 60 folds"),
        ("lone", "1/2", {}, "data set 'lone' has no test split"),
    ],
)
def test_folds_that_cannot_be_cut_are_refused(made_up, tmp_path, name, fold, options, said) -> None:
    with pytest.raises(SettingsError, match=said):
        load_dataset(made_up, name, tmp_path, fold=Fold.parse(fold), **options)


def test_with_a_fold_there_are_two_splits(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fold=Fold(1, 2))
    assert [data.has_split(name) for name in ("train", "test", "train+test", "other")] == [True, True, False, False]
    with pytest.raises(SettingsError, match=r"split 'train\+test' cannot be had with fold 1/2"):
        data.split("train+test")


def test_attributes_go_the_whole_way(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "described", tmp_path, backbone="pixels8", fit="pad", fold=Fold(2, 5), fraction=0.5)
    training = data.training()
    assert data.problem().attributes == training.attribute_names == ("odd", "small")
    assert training.attributes.tolist() == [[n % 2, n < 5] for n in numbers(training)]


def test_images_that_are_fitted_later_are_another_whole(made_up, tmp_path) -> None:
    data = load_dataset(made_up, "squares", tmp_path, fold=Fold(1, 5))
    before = data.checksum("test")
    data.fit_beside("pad", 8)
    padded = load_dataset(made_up, "squares", tmp_path, backbone="pixels8", fit="pad").split("train+test")
    assert data.checksum("test") == padded.checksum != before
