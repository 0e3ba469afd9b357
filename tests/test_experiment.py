"""What settings an experiment comes to, layer by layer, and what stops it before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from harness import PenaltySpec
from harness.catalog import Catalog
from harness.data import Fold
from harness.errors import CheckpointError, DataError, SettingsError, UnknownName
from harness.experiment import Layers, from_record, record_digest, resolve, run_name
from harness.overrides import parse_overrides


@pytest.mark.parametrize("where", [{"train_split": "trian"}, {"evaluation": {"split": "test+trian"}}])
def test_unknown_splits_stop_an_experiment(catalog: Catalog, where: dict[str, Any]) -> None:
    with pytest.raises(UnknownName, match="unknown split of data set 'digits' 'trian'; did you mean 'train'"):
        resolve(catalog, plugin="gan", dataset="digits", overrides=where)


def test_a_split_that_is_named_twice_stops_an_experiment(catalog: Catalog) -> None:
    with pytest.raises(DataError, match="names a split twice"):
        resolve(catalog, plugin="gan", dataset="digits", overrides={"train_split": "train+train"})


def test_both_are_train_and_test(catalog: Catalog) -> None:
    settings = resolve(catalog, plugin="gan", dataset="digits", overrides={"evaluation": {"split": "both"}}).settings
    assert settings.evaluation.splits == ("train", "test")


def given(catalog: Catalog, plugin: str = "gan", dataset: str = "digits", **overrides: Any) -> Any:
    return resolve(catalog, plugin=plugin, dataset=dataset, scale="tiny", overrides=overrides).settings


def test_one_value_of_a_group_that_a_method_has_by_default_leaves_the_others_of_it(catalog: Catalog) -> None:
    adam = given(catalog, "pgmgan", partition={"adam": {"lr": 0.5}}).partition.adam
    assert (adam.lr, adam.betas, adam.weight_decay) == (0.5, (0.9, 0.999), 1e-4)  # not those of any Adam


def test_a_choice_may_be_its_name_alone_or_a_group_with_values(catalog: Catalog) -> None:
    by_name, group = given(catalog, penalty="r1"), given(catalog, penalty={"name": "r1", "weight": 3.0})
    assert (by_name.penalty.name, by_name.penalty.weight) == ("r1", given(catalog).penalty.weight)
    assert (group.penalty.name, group.penalty.weight) == ("r1", 3.0)
    spelt_out = given(catalog, augmentation="diffaugment").augmentation
    assert spelt_out.settings == {"policy": ["color", "translation", "cutout"]}  # the record holds every value


def test_another_choice_drops_the_values_of_the_one_before(catalog: Catalog) -> None:
    layers = [{"augmentation": {"name": "diffaugment", "policy": ["cutout"]}}, {"augmentation": "ada"}]
    chosen = given(catalog, **Layers(type(given(catalog))).merged(*layers)).augmentation
    assert chosen.name == "ada"
    assert "policy" not in chosen.settings


def test_a_value_that_a_companion_does_not_have_is_refused_with_its_own(catalog: Catalog) -> None:
    with pytest.raises(SettingsError, match=r"augmentation\.polcy.*did you mean.*augmentation\.policy"):
        given(catalog, augmentation={"name": "diffaugment", "polcy": ["cutout"]})


def test_an_augmentation_is_refused_for_data_of_another_kind(catalog: Catalog) -> None:
    with pytest.raises(SettingsError, match="augmentation 'diffaugment' is for images, but 'ring2d' holds points"):
        given(catalog, dataset="ring2d", augmentation="diffaugment")


def test_an_augmentation_is_refused_beside_a_penalty_on_nearby_points(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearby = PenaltySpec(name="r1", summary="-", penalty="harness.builtin.losses.penalties:r1", differences=True)
    monkeypatch.setattr(catalog, "penalty", lambda _: nearby)
    with pytest.raises(SettingsError, match="penalty 'r1' compares nearby points, which augmentation 'diffaugment'"):
        given(catalog, augmentation="diffaugment", penalty="r1")


def test_companions_that_are_left_out_leave_the_digest_as_it_was(catalog: Catalog) -> None:
    plain = resolve(catalog, plugin="gan", dataset="digits", overrides={})
    none = resolve(catalog, plugin="gan", dataset="digits", overrides={"augmentation": {"name": None}})
    some = resolve(catalog, plugin="gan", dataset="digits", overrides={"augmentation": "diffaugment"})
    assert plain.digest() == none.digest() != some.digest()


def test_settings_of_one_metric_are_kept_as_given_and_make_no_other_recipe(catalog: Catalog) -> None:
    experiment = resolve(
        catalog,
        plugin="gan",
        dataset="digits",
        config={"evaluation": {"of": {"kernel": {"subsets": 10}, "neighbours": {"density_coverage_k": 3}}}},
        overrides=parse_overrides(["evaluation.of.kernel.subset_size=50"]),
    )
    kept = {"kernel": {"subsets": 10, "subset_size": 50}, "neighbours": {"density_coverage_k": 3}}
    record = experiment.record()
    assert record["settings"]["evaluation"]["of"] == kept
    assert record["overrides"]["evaluation.of.kernel.subset_size"] == 50
    assert not experiment.changed
    assert record_digest(record) == resolve(catalog, plugin="gan", dataset="digits").digest()
    assert from_record(catalog, record, "x").settings.evaluation.of == kept


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("kernl.subsets=3", "setting 'evaluation.of.kernl.subsets': unknown metric 'kernl'; did you mean 'kernel'?"),
        ("fd.k=3", "setting 'evaluation.of.fd.k': metric 'fd' has no settings; leave it out"),
        ("kernel.subset=3", "metric 'kernel' has no setting 'evaluation.of.kernel.subset'; did you mean"),
        (
            "kernel.subsets=none",
            "setting 'evaluation.of.kernel.subsets' of metric 'kernel': Input should be a valid int",
        ),
        ("kernel=3", "setting 'evaluation.of.kernel' of method 'gan': Input should be a valid dictionary (given: 3)"),
    ],
)
def test_what_a_metric_cannot_be_told_stops_an_experiment(catalog: Catalog, pair: str, said: str) -> None:
    with pytest.raises(SettingsError) as no:
        resolve(catalog, plugin="gan", dataset="digits", overrides=parse_overrides([f"evaluation.of.{pair}"]))
    assert str(no.value).startswith(said)


# -- folds -----------------------------------------------------------------------------------------


def folded(catalog: Catalog, fold: str | None, dataset: str = "digits", **overrides: Any) -> Any:
    chosen = None if fold is None else Fold.parse(fold)
    return resolve(catalog, plugin="gan", dataset=dataset, scale="tiny", fold=chosen, overrides=overrides)


def test_a_fold_is_recorded_as_text_and_read_back(catalog: Catalog) -> None:
    experiment = folded(catalog, "3/7")
    assert experiment.record()["fold"] == "3/7"
    assert from_record(catalog, experiment.record(), "here") == experiment
    assert folded(catalog, None).record()["fold"] is None
    assert from_record(catalog, folded(catalog, None).record(), "here").fold is None


def test_another_fold_is_another_experiment_in_another_folder(catalog: Catalog) -> None:
    found = [folded(catalog, fold) for fold in (None, "3/7", "4/7", "3/8")]
    assert len({experiment.digest() for experiment in found}) == 4
    assert [experiment.name.rpartition("/")[2].split("-")[-2:] for experiment in found[:2]] == [
        ["tiny", "s0"],
        ["fold3of7", "s0"],
    ]
    assert run_name(found[1].record()) == found[1].name
    assert len({experiment.name for experiment in found}) == 4


@pytest.mark.parametrize("written", ["8/7", "3", 3, "three", [3, 7], True])
def test_a_file_that_names_no_fold_is_said_to_be_so(catalog: Catalog, written: object) -> None:
    record = folded(catalog, "3/7").record() | {"fold": written}
    with pytest.raises(CheckpointError, match="a file names no fold: a fold is I/N"):
        from_record(catalog, record, "a file")


@pytest.mark.parametrize(
    ("dataset", "fold", "overrides", "said"),
    [
        ("digits", "1/1798", {}, "data set 'digits' has 1797 items, which cannot be cut into 1798 folds"),
        ("npz:x.npz", "1/2", {}, "data set 'npz:x.npz' has no test split"),
        (
            "stl10",
            "1/2",
            {"train_split": "train+unlabeled"},
            r"split 'train\+unlabeled' cannot be trained on with fold 1/2",
        ),
        ("stl10", "1/2", {"evaluation": {"split": "unlabeled"}}, "split 'unlabeled' cannot be had with fold 1/2"),
        ("digits", "1/2", {"train_split": "test"}, "split 'test' cannot be trained on with fold 1/2"),
    ],
)
def test_folds_that_cannot_be_stop_an_experiment(
    catalog: Catalog, dataset: str, fold: str, overrides: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        folded(catalog, fold, dataset, fit="resize", **overrides)


def test_both_splits_may_be_evaluated_with_a_fold(catalog: Catalog) -> None:
    assert folded(catalog, "1/2", evaluation={"split": "both"}).settings.evaluation.splits == ("train", "test")
