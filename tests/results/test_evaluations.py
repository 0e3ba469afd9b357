"""A record lists how its numbers were measured, and each number names the evaluation that it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st
from made_records import made_entry, made_record

from harness.evaluation import MetricEntry
from harness.results.evaluations import evaluations_of, own_evaluation, put_before
from harness.results.record import Record


def entries_of(*evaluations: int) -> list[MetricEntry]:
    """A number of each of these evaluations; each value says which one it is of."""
    return [
        MetricEntry.model_validate(made_entry(f"m{number}", value=evaluation) | {"evaluation": evaluation})
        for number, evaluation in enumerate(evaluations)
    ]


def old(count: int) -> list[dict[str, Any]]:
    return [{"settings": {"samples": number}, "environment": {}} for number in range(count)]


def measured_under(evaluations: Sequence[Any], entries: Sequence[MetricEntry]) -> list[int]:
    """Samples of the evaluation that each entry names."""
    return [evaluations[entry.evaluation]["settings"]["samples"] for entry in entries]


def test_a_record_that_lists_none_was_measured_as_it_was_started() -> None:
    record = made_record(settings={"steps": 3, "evaluation": {"samples": 7}})
    assert evaluations_of(record) == [{"settings": {"samples": 7}, "environment": record["environment"]}]


def test_what_a_record_lists_is_what_counts() -> None:
    record = made_record(evaluations=old(2), settings={"evaluation": {"samples": 7}})
    assert [each["settings"] for each in evaluations_of(record)] == [{"samples": 0}, {"samples": 1}]


@pytest.mark.parametrize("settings", [{}, {"evaluation": None}, {"evaluation": "odd"}])
def test_a_record_without_evaluation_settings_was_started_with_none(settings: dict[str, Any]) -> None:
    assert own_evaluation(made_record(settings=settings)) == {}


def test_a_new_evaluation_stands_before_the_old_ones() -> None:
    this = {"settings": {"samples": 99}, "environment": {}}
    evaluations, entries = put_before(this, entries_of(0), old(2), entries_of(0, 1, 0))
    assert evaluations == [this, *old(2)]
    assert [entry.evaluation for entry in entries] == [0, 1, 2, 1]
    assert [entry.value for entry in entries] == [0, 0, 1, 0]


def test_an_old_evaluation_without_a_number_is_forgotten() -> None:
    this = {"settings": {"samples": 99}, "environment": {}}
    evaluations, entries = put_before(this, [], old(4), entries_of(3, 1, 3))
    assert evaluations == [this, old(4)[1], old(4)[3]]
    assert [entry.evaluation for entry in entries] == [2, 1, 2]
    assert put_before(this, entries_of(0), old(4), []) == ([this], entries_of(0))


@given(st.lists(st.integers(0, 5), max_size=8))
def test_every_kept_number_still_names_the_evaluation_that_measured_it(kept: list[int]) -> None:
    this = {"settings": {"samples": 99}, "environment": {}}
    evaluations, entries = put_before(this, entries_of(0), old(6), entries_of(*kept))
    assert measured_under(evaluations, entries) == [99, *kept]
    assert len(evaluations) == 1 + len(set(kept))
    entries = [entry.model_copy(update={"metric": f"n{number}"}) for number, entry in enumerate(entries)]
    plain = [entry.model_dump() for entry in entries]
    Record.model_validate(made_record() | {"evaluations": evaluations, "metrics": plain})
