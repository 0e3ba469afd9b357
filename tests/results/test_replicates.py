"""Which records are runs of one experiment, and what their numbers say together."""

from __future__ import annotations

from typing import Any

import pytest
from made_records import made_entry, made_record
from scipy import stats

from harness.results.replicates import replicates


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "made/other"},
        {"method": "other"},
        {"scale": "tiny"},
        {"dataset": "mnist"},
        {"fraction": 0.5},
        {"exit_state": "diverged"},
        {"settings": {"steps": 20, "evaluation": {"every": 0}}},
    ],
)
def test_what_touches_training_tells_experiments_apart(changes: dict[str, Any]) -> None:
    assert len(replicates([made_record(), made_record(seed=1, **changes)])) == 2


@pytest.mark.parametrize(
    "changes",
    [{"settings": {"steps": 10, "evaluation": {"every": 3}}}, {"environment": {"device": "cuda"}}, {"cost": {}}],
)
def test_what_only_watches_does_not(changes: dict[str, Any]) -> None:
    (group,) = replicates([made_record(seed=3), made_record(seed=1, **changes)])
    assert group.seeds == (1, 3)


def test_one_seed_counts_once() -> None:
    (group,) = replicates([made_record([made_entry(value=1.0)]), made_record([made_entry(value=9.0)])])
    (number,) = group.numbers
    assert number.values == (1.0,)


def test_numbers_of_one_protocol_and_subject_belong_together() -> None:
    raw = {"weights": "raw", "checkpoint": "last"}
    records = [
        made_record([made_entry(value=v), made_entry(value=10 * v, subject=raw), made_entry("is", v)], seed=seed)
        for seed, v in enumerate((1.0, 2.0, 4.0))
    ]
    (group,) = replicates(reversed(records))
    first, second, third = group.numbers
    assert (first.values, first.seeds) == ((1.0, 2.0, 4.0), (0, 1, 2))
    assert (second.values, second.subject) == ((10.0, 20.0, 40.0), raw)
    assert third.metric == "is"
    assert first.mean == pytest.approx(7 / 3)
    assert (first.error, first.error_of) == (pytest.approx(stats.sem([1.0, 2.0, 4.0])), "seeds")


def test_another_protocol_is_another_number() -> None:
    records = [made_record([made_entry(protocol={"k": k})], seed=k) for k in (3, 5)]
    (group,) = replicates(records)
    assert [number.seeds for number in group.numbers] == [(3,), (5,)]


def test_one_run_has_the_error_of_its_samples() -> None:
    (group,) = replicates([made_record([made_entry(std_error=0.5), made_entry("is")])])
    assert [(n.error, n.error_of) for n in group.numbers] == [(0.5, "sampling"), (None, None)]


def test_the_recipe_is_named_without_its_changes() -> None:
    overrides = {"steps": 3, "backbone.width": 8, "evaluation.every": 1, "sample_every": 2}
    (group,) = replicates([made_record(recipe="made/plain+changed", overrides=overrides)])
    assert group.recipe == "made/plain"
    assert group.overridden == {"steps": 3, "backbone.width": 8}
