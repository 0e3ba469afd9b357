"""A number that a record keeps is finite and complete, and is told from others by protocol and subject alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from harness.evaluation import MetricEntry
from harness.evaluation.protocols.metric_entry import entry_key

PLAIN: dict[str, Any] = {
    "metric": "fd",
    "value": 12.5,
    "protocol_id": "fd[pixels,10x5]",
    "protocol": {"metric": "fd", "extractor": "pixels", "real_count": 10},
    "subject": {"weights": "ema", "checkpoint": "last"},
}


def test_a_number_comes_back_from_json_as_it_was() -> None:
    entry = MetricEntry(**PLAIN, std_error=0.1, std_error_of="sampling", details={"trace": 1e-300}, evaluation=2)
    assert MetricEntry.model_validate_json(entry.model_dump_json()) == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": 1.1e300},
        {"value": -1.1e300},
        {"std_error": float("nan")},
        {"details": {"trace": float("inf")}},
        {"seconds": -1.0},
        {"evaluation": -1},
        {"surprise": 1},
        {"value": None},
    ],
    ids=str,
)
def test_what_is_no_number_of_a_protocol_is_refused(changes: dict[str, Any]) -> None:
    (field,) = changes
    with pytest.raises(ValidationError, match=field):
        MetricEntry(**PLAIN | changes)


def test_a_number_may_be_as_large_as_means_of_it_can_be_formed() -> None:
    assert [MetricEntry(**PLAIN | {"value": value}).value for value in (1e300, -1e300)] == [1e300, -1e300]


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 99.0},
        {"std_error": 1.0},
        {"protocol_id": "fd[another way to show it]"},
        {"seconds": 3.0},
        {"replicate": {"seed": 4}},
        {"evaluation": 1},
        {"protocol": {"real_count": 10, "extractor": "pixels", "metric": "fd"}},
        {"subject": {"checkpoint": "last", "weights": "ema"}},
    ],
    ids=str,
)
def test_the_same_number_of_two_runs_has_one_key(changes: dict[str, Any]) -> None:
    assert entry_key(PLAIN | changes) == entry_key(PLAIN)


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "kid"},
        {"protocol": PLAIN["protocol"] | {"real_count": 11}},
        {"protocol": PLAIN["protocol"] | {"real_count": "10"}},
        {"protocol": PLAIN["protocol"] | {"k": None}},
        {"subject": {"weights": "ema", "checkpoint": "best"}},
        {"subject": {}},
    ],
    ids=str,
)
def test_another_protocol_or_subject_is_another_number(changes: dict[str, Any]) -> None:
    assert entry_key(PLAIN | changes) != entry_key(PLAIN)


def test_an_entry_has_the_key_of_its_plain_data() -> None:
    dumped = MetricEntry(**PLAIN).model_dump(mode="json")
    assert entry_key(dumped) == entry_key(json.loads(json.dumps(dumped))) == entry_key(PLAIN)
