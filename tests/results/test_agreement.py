"""What a record says otherwise than one made anew: every field but times and surroundings, numbers within a share."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from made_records import made_entry, made_record

from harness.results.agreement import Agreement, compare, described


@pytest.fixture
def again() -> dict[str, Any]:
    """A record of three numbers, as it is made anew."""
    entries = [made_entry("fd", 12.5, std_error=0.5), made_entry("kid", 0.0), made_entry("precision", 0.7)]
    return made_record(entries, settings={"steps": 10, "log_every": 5, "ema": {"decay": 0.9}})


@pytest.fixture
def record(again: dict[str, Any]) -> dict[str, Any]:
    """The same, as it was recorded."""
    return deepcopy(again)


def put(record: dict[str, Any], path: str, value: Any) -> None:
    """Set a field by its dotted path."""
    *inside, last = path.split(".")
    place = record
    for key in inside:
        place = place[key]
    place[last] = value


def test_a_record_agrees_with_itself(record: dict[str, Any], again: dict[str, Any]) -> None:
    assert compare(record, again) == Agreement(3, (), 0.0, "")


@pytest.mark.parametrize(("share", "verified"), [(0.9e-4, True), (-0.9e-4, True), (1.1e-4, False), (-1.1e-4, False)])
def test_other_machines_may_differ_by_a_ten_thousandth(
    record: dict[str, Any], again: dict[str, Any], share: float, verified: bool
) -> None:
    entry = record["metrics"][0]
    entry["value"] *= 1 + share
    result = compare(record, again)
    assert (result.problems == ()) is verified
    assert result.largest == pytest.approx(abs(share) / 1e-4, rel=1e-3)
    assert result.largest_of == f"{entry['protocol_id']} of weights ema, checkpoint last"


@pytest.mark.parametrize(("shift", "verified"), [(0.9e-6, True), (1.1e-6, False)])
def test_what_is_nothing_may_differ_by_a_millionth(
    record: dict[str, Any], again: dict[str, Any], shift: float, verified: bool
) -> None:
    record["metrics"][1]["value"] = shift
    assert (compare(record, again).problems == ()) is verified


def test_settings_that_only_watch_may_differ(record: dict[str, Any], again: dict[str, Any]) -> None:
    record["settings"] |= {"log_every": 77, "checkpoint_every": 99, "sample_every": 1}
    assert compare(record, again).problems == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"harness_version": "9.9.9"},
        {"environment": {"device": "cuda", "threads": 64}},
        {"cost": {"evaluation_seconds": 1e6}},
        {"overrides": {"log_every": 2, "evaluation": {"samples": 3}}},
        {"evaluations": [{"settings": {}, "environment": {}}]},
        {"exit_state": "stopped"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_times_and_surroundings_may_differ(
    record: dict[str, Any], again: dict[str, Any], changes: dict[str, Any]
) -> None:
    for key, value in changes.items():
        record[key] = record[key] | value if isinstance(value, Mapping) else value
    record["metrics"][0]["seconds"] = 5.0
    assert compare(record, again).problems == ()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("seed", 1, "seed is 0, and 1 is recorded"),
        ("settings.ema.decay", 0.99, "settings.ema.decay is 0.9, and 0.99 is recorded"),
        ("settings.ema", None, "settings.ema is {'decay': 0.9}, and None is recorded"),
        ("cost.parameters.generator", 6, "cost.parameters.generator is 5, and 6 is recorded"),
        ("data.extra", "x", "data.extra is None, and x is recorded"),
        ("overrides.loss", "hinge", "overrides.loss is None, and hinge is recorded"),
        ("settings.evaluations", 1, "settings.evaluations is None, and 1 is recorded"),  # begins like what may differ
    ],
)
def test_any_other_field_is_named_with_both_values(
    record: dict[str, Any], again: dict[str, Any], path: str, value: Any, said: str
) -> None:
    put(record, path, value)
    assert compare(record, again).problems == (said,)


def test_a_field_that_the_record_lacks_is_a_difference(record: dict[str, Any], again: dict[str, Any]) -> None:
    del record["settings"]["steps"]
    assert compare(record, again).problems == ("settings.steps is 10, and None is recorded",)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("std_error", 0.6, "std_error is 0.5, and 0.6 is recorded"),
        ("std_error", None, "std_error is 0.5, and None is recorded"),
        ("details", {"trace": 2.0}, "details.trace is 1, and 2 is recorded"),
        ("counts", {"real": 9}, "counts is {}, and {'real': 9} is recorded"),
        ("protocol_id", "fd[else]", "protocol_id is fd[toy], and fd[else] is recorded"),
        ("evaluation", 1, "evaluation is 0, and 1 is recorded"),
        ("remark", "few", "remark is None, and few is recorded"),
    ],
)
def test_all_that_stands_beside_a_value_counts_too(
    record: dict[str, Any], again: dict[str, Any], field: str, value: Any, said: str
) -> None:
    again["metrics"][0]["details"] = {"trace": 1.0}
    record["metrics"][0] |= {"details": {"trace": 1.0 + 0.9e-4}, field: value}
    (problem,) = compare(record, again).problems
    assert problem == f"{described(record['metrics'][0])}: {said}"


def test_numbers_are_found_by_protocol_and_subject_whatever_their_order(
    record: dict[str, Any], again: dict[str, Any]
) -> None:
    record["metrics"].reverse()
    again["metrics"].append(made_entry("more"))  # what nobody recorded need not be said
    assert compare(record, again) == Agreement(3, (), 0.0, "")


def test_a_number_of_another_subject_is_another_number(record: dict[str, Any], again: dict[str, Any]) -> None:
    record["metrics"][0]["subject"] = {}
    result = compare(record, again)
    assert result.problems == ("fd[toy] of the method cannot be measured again with the recorded settings",)
    assert result.compared == 2


def test_a_record_without_a_number_bears_nothing_out(record: dict[str, Any], again: dict[str, Any]) -> None:
    record["metrics"] = []
    assert compare(record, again) == Agreement(0, ("the record holds no number",), 0.0, "")


def test_the_largest_difference_is_told_though_it_is_allowed(record: dict[str, Any], again: dict[str, Any]) -> None:
    again["metrics"][0]["value"] *= 1 + 0.2e-4
    again["metrics"][2]["value"] *= 1 - 0.5e-4
    result = compare(record, again)
    assert (result.problems, result.largest_of) == ((), described(record["metrics"][2]))
    assert result.largest == pytest.approx(0.5, rel=1e-3)
