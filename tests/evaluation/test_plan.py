from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset
from harness.errors import EvaluationError, SettingsError, UnknownName
from harness.evaluation import check_evaluation

Toy = Callable[..., Any]


def ids(trained: Any, dataset: LoadedDataset, catalog: Catalog, **settings: Any) -> list[str]:
    chosen = EvaluationSettings(**{"samples": 100, "neighbours_samples": 40} | settings)
    return check_evaluation(trained, dataset=dataset, settings=chosen, catalog=catalog)


MADE = "uint8-round,block250,bn-eval"


def test_all_that_applies_to_images_is_planned(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    assert ids(toy((1, 8, 8)), digits, catalog) == [
        f"fd[digits-cnn,native,train,1437x100,{MADE}]",
        f"fd[pixels,native,train,1437x100,{MADE}]",
        f"is[digits-cnn,native,100,splits10,{MADE}]",
        f"is[digits-cnn,native,100,splits1,{MADE}]",
        *(
            f"kd_x1e3[{extractor},native,train,{how},cubic,unbiased,{MADE}]"
            for extractor in ("digits-cnn", "pixels")
            for how in ("1437x100,100x100", "40x40,full")
        ),
        *(
            f"{name}[{extractor},native,train,40x40,{balls},{MADE}]"
            for extractor in ("digits-cnn", "pixels")
            for name, balls in (
                ("precision", "k3,closed"),
                ("recall", "k3,closed"),
                ("precision", "k5,closed"),
                ("recall", "k5,closed"),
                ("density", "k5,open"),
                ("coverage", "k5,open"),
            )
        ),
        f"modes[digits-cnn,native,100,{MADE}]",
        f"high_quality_pct[digits-cnn,native,100,confidence0.9,{MADE}]",
        f"reverse_kl[digits-cnn,native,100,nats,uniform,{MADE}]",
        f"reverse_kl[digits-cnn,native,100,log10,uniform,{MADE}]",
        f"reverse_kl[digits-cnn,native,train,1437x100,nats,labels,{MADE}]",
    ]


def test_all_that_applies_to_points_is_planned(toy: Toy, ring2d: LoadedDataset, catalog: Catalog) -> None:
    assert ids(toy((2,)), ring2d, catalog) == [
        "modes[100,box3std,block250,bn-eval]",
        "high_quality_pct[100,box3std,block250,bn-eval]",
        "modes[100,disc3std,block250,bn-eval]",
        "high_quality_pct[100,disc3std,block250,bn-eval]",
        "reverse_kl[100,nats,nearest,block250,bn-eval]",
        "reverse_kl[100,log10,nearest,block250,bn-eval]",
    ]


def test_only_named_values_are_planned(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    planned = ids(toy((1, 8, 8)), digits, catalog, metrics=("recall", "fd"), extractors=("pixels",))
    assert [each.partition("[")[0] for each in planned] == ["recall", "recall", "fd"]  # k = 3 and 5


def test_a_metric_named_by_the_name_of_its_family_gives_all_its_values(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    planned = ids(toy((1, 8, 8)), digits, catalog, metrics=("neighbours",), extractors=("pixels",))
    assert {each.partition("[")[0] for each in planned} == {"precision", "recall", "density", "coverage"}


def test_settings_that_change_the_measuring_change_the_id(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    base = {"metrics": ("fd",), "extractors": ("pixels",)}
    changes: list[dict[str, Any]] = [
        {},
        {"samples": 50},
        {"split": "test"},
        {"block": 10},
        {"batch_norm": "train"},
        {"quantise": "truncate"},
        {"extractors": ("digits-cnn",)},
    ]
    seen = {ids(toy((1, 8, 8)), digits, catalog, **base | change)[0] for change in changes}
    assert len(seen) == len(changes)


def test_an_unknown_metric_is_refused_with_near_names(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match="unknown metric 'precison'; did you mean 'precision'"):
        ids(toy((1, 8, 8)), digits, catalog, metrics=("precison",))


def test_a_named_metric_of_another_kind_of_data_is_refused(toy: Toy, ring2d: LoadedDataset, catalog: Catalog) -> None:
    with pytest.raises(EvaluationError, match=r"metric 'recall' cannot be measured here: it is for images, .*points"):
        ids(toy((2,)), ring2d, catalog, metrics=("recall",))


def test_a_costly_metric_waits_to_be_named(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    assert not catalog.metric("fd_inf").by_default
    assert [each.partition("[")[0] for each in ids(toy((1, 8, 8)), digits, catalog, metrics=("fd_inf",))] == [
        "fd_inf",
        "fd_inf",
    ]


def test_a_named_metric_without_an_extractor_for_it_is_refused(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    with pytest.raises(EvaluationError, match=r"metric 'is' cannot be measured here: no extractor in use \(pixels\)"):
        ids(toy((1, 8, 8)), digits, catalog, metrics=("is",), extractors=("pixels",))


def test_a_method_that_cannot_sample_has_nothing_to_measure_and_a_named_metric_says_so(
    digits: LoadedDataset, catalog: Catalog
) -> None:
    assert ids(object(), digits, catalog) == []
    with pytest.raises(EvaluationError, match=r"metric 'fd' cannot be measured here: .* no capability 'sample'"):
        ids(object(), digits, catalog, metrics=("fd",))


def test_an_extractor_that_does_not_take_the_images_is_refused(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    with pytest.raises(EvaluationError, match="'mnist-cnn' takes 1x28x28 or 1x32x32 images, not 1x8x8"):
        ids(toy((1, 8, 8)), digits, catalog, extractors=("mnist-cnn",))


def test_extractors_for_points_are_refused(toy: Toy, ring2d: LoadedDataset, catalog: Catalog) -> None:
    with pytest.raises(EvaluationError, match="names pixels, but data set 'ring2d' holds points"):
        ids(toy((2,)), ring2d, catalog, extractors=("pixels",))


def test_a_named_value_that_these_networks_do_not_give_is_refused(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    with pytest.raises(EvaluationError, match=r"'fid' cannot be measured here: .* by the name of fd; name that, or"):
        ids(toy((1, 8, 8)), digits, catalog, metrics=("fid", "recall"))


def test_a_metric_is_told_its_own_settings_and_nobody_elses(toy: Toy, digits: LoadedDataset, catalog: Catalog) -> None:
    metrics = {"metrics": ("kernel", "precision"), "extractors": ("pixels",)}
    told = {"kernel": {"subsets": 7}, "neighbours": {"precision_recall_k": [2]}}
    usual = ids(toy((1, 8, 8)), digits, catalog, **metrics)
    assert ids(toy((1, 8, 8)), digits, catalog, **metrics, of=told) == [
        f"kd_x1e3[pixels,native,train,1437x100,7x100,cubic,unbiased,{MADE}]",
        f"kd_x1e3[pixels,native,train,40x40,full,cubic,unbiased,{MADE}]",
        f"precision[pixels,native,train,40x40,k2,closed,{MADE}]",
    ]
    assert ids(toy((1, 8, 8)), digits, catalog, **metrics, of={"kernel": {"subsets": 100}}) == usual


def test_what_a_metric_cannot_be_told_is_refused_whether_or_not_it_is_measured(
    toy: Toy, digits: LoadedDataset, catalog: Catalog
) -> None:
    for metrics in (("kernel",), ("fd",)):
        with pytest.raises(SettingsError, match=r"has no setting 'evaluation\.of\.kernel\.subset'"):
            ids(toy((1, 8, 8)), digits, catalog, metrics=metrics, of={"kernel": {"subset": 3}})
