"""What a record says otherwise than one that was made anew from the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.evaluation.protocols.metric_entry import entry_key
from harness.experiment import WATCHING

#: how far a measured number may lie from the recorded one: other machines add in another order
RELATIVE, ABSOLUTE = 1e-4, 1e-6

#: what no checkpoint bears out
_UNCHECKED = (
    "harness_version",
    "environment",
    "evaluations",
    "metrics",
    "exit_state",
    "cost.evaluation_seconds",
    *(f"settings.{key}" for key in WATCHING),
    *(f"overrides.{key}" for key in WATCHING),
)


@dataclass(frozen=True)
class Agreement:
    """What came of comparing.

    :param compared: numbers of the record that the other one has too.
    :param problems: a line for each disagreement; empty for none.
    :param largest: difference among those numbers' values, as a share of what is allowed.
    :param largest_of: which number that is; empty where all are equal.
    """

    compared: int
    problems: tuple[str, ...]
    largest: float
    largest_of: str


def compare(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> Agreement:
    """A record against the one made anew: every field but times and surroundings, numbers within a tolerance."""
    problems = _facts(recorded, again)
    found = {entry_key(entry): entry for entry in again["metrics"]}
    compared, largest, largest_of = 0, 0.0, ""
    for entry in recorded["metrics"]:
        name = described(entry)
        other = found.get(entry_key(entry))
        if other is None:
            problems.append(f"{name} cannot be measured again with the recorded settings")
            continue
        compared += 1
        share = abs(other["value"] - entry["value"]) / _allowed(entry["value"])
        if share > largest:
            largest, largest_of = share, name
        for field in entry.keys() - {"metric", "protocol", "subject", "seconds"}:
            problems += _entry_field(f"{name}: {field}", entry[field], other[field])
    if not recorded["metrics"]:
        problems.append("the record holds no number")
    return Agreement(compared, tuple(sorted(problems)), largest, largest_of)


def described(entry: Mapping[str, Any]) -> str:
    """An entry's protocol, and what of the method it measured."""
    return f"{entry['protocol_id']} of {', '.join(f'{k} {v}' for k, v in entry['subject'].items()) or 'the method'}"


def _facts(recorded: Mapping[str, Any], again: Mapping[str, Any], path: str = "") -> list[str]:
    """Fields with another value, by dotted path."""
    problems = []
    for key in sorted({*recorded, *again}):
        at = f"{path}{key}"
        if any(at == unchecked or at.startswith(f"{unchecked}.") for unchecked in _UNCHECKED):
            continue
        ours, theirs = recorded.get(key), again.get(key)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            problems += _facts(ours, theirs, f"{at}.")
        elif ours != theirs:
            problems.append(_said(at, ours, theirs))
    return problems


def _entry_field(name: str, recorded: Any, again: Any) -> Sequence[str]:
    """A field of an entry; in mappings, whose values are numbers, each within the tolerance."""
    if isinstance(recorded, Mapping) and isinstance(again, Mapping) and recorded.keys() == again.keys():
        return [line for key in recorded for line in _entry_field(f"{name}.{key}", recorded[key], again[key])]
    if isinstance(recorded, float) and isinstance(again, float):
        return [] if abs(again - recorded) <= _allowed(recorded) else [_said(name, recorded, again)]
    return [] if recorded == again else [_said(name, recorded, again)]


def _allowed(recorded: float) -> float:
    return max(RELATIVE * abs(recorded), ABSOLUTE)


def _said(name: str, recorded: Any, again: Any) -> str:
    return f"{name} is {_short(again)}, and {_short(recorded)} is recorded"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
