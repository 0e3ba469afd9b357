"""Tolerances belong to numbers that a metric gives, say why, and reach the metrics' specs whole."""

from __future__ import annotations

import pytest

from harness.builtin.metrics.registry import SPECS
from harness.builtin.metrics.tolerances import TOLERANCES, tolerances
from harness.catalog import Catalog


def test_every_builtin_number_has_a_tolerance_with_a_reason_or_no_paper_prints_it(catalog: Catalog) -> None:
    for spec in catalog.all("metric"):
        assert set(spec.tolerances) <= set(spec.names)  # type: ignore[union-attr]
        for tolerance in spec.tolerances.values():  # type: ignore[union-attr]
            assert tolerance.why
            assert tolerance.margin(1.0) > 0


def test_only_those_asked_for_are_given_and_a_number_without_one_is_left_out() -> None:
    assert tolerances("recall", "memorisation_ratio", "fid") == {name: TOLERANCES[name] for name in ("recall", "fid")}
    assert tolerances() == {}


def test_every_tolerance_is_of_a_number_that_some_metric_gives() -> None:
    assert set(TOLERANCES) <= {name for spec in SPECS for name in spec.names}


def test_every_metric_has_those_of_all_its_numbers() -> None:
    for spec in SPECS:
        assert spec.tolerances == tolerances(*spec.names), spec.name


@pytest.mark.parametrize(
    ("one", "other"), [("fd", "fid"), ("fd_inf", "fid_inf"), ("ifd", "ifid"), ("kd_x1e3", "kid_x1e3")]
)
def test_the_same_distance_has_the_same_tolerance_on_any_network(one: str, other: str) -> None:
    assert TOLERANCES[one] == TOLERANCES[other]


def test_a_tolerance_without_scale_is_a_share_and_a_share_of_items_is_not() -> None:
    """Distances scale with the features and grow without limit; a share of 0 % may come out as 1 %."""
    for name, tolerance in TOLERANCES.items():
        if name.removesuffix("_inf") in ("fd", "fid", "ifd", "ifid", "kd_x1e3", "kid_x1e3"):
            assert (tolerance.absolute, tolerance.margin(0.0)) == (0.0, 0.0), name
        if name in ("precision", "recall", "coverage", "nmi", "ari", "purity", "auroc"):
            assert 0 < tolerance.margin(0.0) == tolerance.margin(1.0) < 0.1, name
