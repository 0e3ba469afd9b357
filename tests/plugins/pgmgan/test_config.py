"""What PGMGAN can be told, and what does not fit together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness_pgmgan.config import PgmganSettings

from harness import validated
from harness.catalog import Catalog
from harness.errors import SettingsError
from harness.experiment import completed
from harness.training.loop import Training

Train = Callable[..., Training]


@pytest.mark.parametrize(
    ("dataset", "settings", "said"),
    [
        ("digits", {"conditional": True}, "told partitions, never labels"),
        ("digits", {"partitioning": "random"}, "set guide.weight=0 and rejection=off"),
    ],
)
def test_what_does_not_fit_together_is_refused(prepare: Train, dataset: str, settings: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        prepare(dataset, **settings)


@pytest.mark.parametrize(
    ("weight", "rejection"), [(6.0, "off"), (0.0, "on"), (0.0, "both"), (6.0, "both"), (1e-9, "off")]
)
def test_without_a_partitioner_nothing_may_ask_for_one(weight: float, rejection: str) -> None:
    told = {"guide": {"weight": weight}, "rejection": rejection}
    with pytest.raises(SettingsError) as caught:
        validated(PgmganSettings, {"partitioning": "random", **told}, "method 'pgmgan'")
    assert "partitioning=random has no partitioner: set guide.weight=0 and rejection=off" in str(caught.value)
    assert "\n" not in str(caught.value)
    for partitioning in ("graph", "kmeans"):
        assert validated(PgmganSettings, {"partitioning": partitioning, **told}, "method 'pgmgan'")


def test_random_numbers_are_fine_where_nothing_asks_for_a_partitioner() -> None:
    told = {"partitioning": "random", "guide": {"weight": 0.0}, "rejection": "off"}
    assert validated(PgmganSettings, told, "method 'pgmgan'").partitioning == "random"


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"partitions": 1}, "partitions"),  # a mixture of one is no mixture
        ({"partitioning": "tree"}, "partitioning"),
        ({"rejection": "sometimes"}, "rejection"),
        ({"redraws": 0}, "redraws"),
        ({"pretext": {"batch_size": 1}}, "pretext.batch_size"),  # an image alone has nobody to be told from
        ({"pretext": {"temperature": 0.0}}, "pretext.temperature"),
        ({"pretext": {"final_share": 1.5}}, "pretext.final_share"),
        ({"pretext": {"views": "mirror"}}, "pretext.views"),
        ({"partition": {"neighbours": 0}}, "partition.neighbours"),
        ({"partition": {"items": 1}}, "partition.items"),
        ({"partition": {"mean_weight": -1.0}}, "partition.mean_weight"),
        ({"points": {"network": "tree"}}, "points.network"),
        ({"guide": {"weight": -1.0}}, "guide.weight"),
        ({"guide": {"over": 0}}, "guide.over"),
        ({"guide": {"reduce": "max"}}, "guide.reduce"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(values: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError, match=f"setting '{key}' of method 'pgmgan': .*given: ") as caught:
        validated(PgmganSettings, values, "method 'pgmgan'")
    assert "\n" not in str(caught.value)


def test_what_one_value_of_the_partitioners_adam_changes_leaves_the_others(catalog: Catalog) -> None:
    settings: Any = completed(catalog, "pgmgan", {"partition": {"adam": {"lr": 1e-3}}})
    adam = settings.partition.adam
    assert (adam.lr, adam.betas, adam.weight_decay) == (1e-3, (0.9, 0.999), 1e-4)


def test_there_is_no_average_unless_its_decay_is_set(catalog: Catalog) -> None:
    assert completed(catalog, "pgmgan", {"ema": {"start": 5}}).ema.decay == 0
    assert completed(catalog, "pgmgan", {"ema": {"decay": 0.9}}).ema.decay == 0.9
