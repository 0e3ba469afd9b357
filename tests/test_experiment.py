"""What stops an experiment before anything is read: splits that its data does not have."""

from __future__ import annotations

from typing import Any

import pytest

from harness.catalog import Catalog
from harness.errors import DataError, UnknownName
from harness.experiment import resolve


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
