from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from offering import Noise

from harness.builtin.metrics.labelled import labelled_splits
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import Split, load_dataset
from harness.evaluation import Bench, Inapplicable, MetricContext


def offered(catalog: Catalog, split: str, unlabelled: Sequence[str]) -> MetricContext:
    """Digits of which some splits have lost their labels."""
    digits = load_dataset(catalog, "digits", Path("unused"))
    for name in unlabelled:
        digits._splits[name] = Split(digits.finite(name).values, None, ())
    settings = EvaluationSettings.model_validate({"split": split})
    return MetricContext(Bench(Noise(), digits, catalog, 0, "cpu"), settings)


@pytest.mark.parametrize(
    ("split", "unlabelled", "found"),
    [
        ("both", (), ["train", "test"]),
        ("both", ("train",), ["test"]),
        ("both", ("test",), ["train"]),
        ("test", ("train",), ["test"]),
        ("train+test", (), ["train+test"]),
        ("train+test", ("test",), ["train"]),  # of one set whose items have no labels, the part that has some
    ],
)
def test_splits_with_labels_stay(split: str, unlabelled: Sequence[str], found: list[str], catalog: Catalog) -> None:
    assert labelled_splits(offered(catalog, split, unlabelled)) == found


@pytest.mark.parametrize(("split", "where"), [("both", "train or test"), ("train", "train")])
def test_no_labels_at_all_is_inapplicable(split: str, where: str, catalog: Catalog) -> None:
    with pytest.raises(Inapplicable, match=f"data set 'digits' has no labels in {where}$"):
        labelled_splits(offered(catalog, split, ("train", "test")))
