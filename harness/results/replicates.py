"""Runs of one experiment that differ in nothing but the seed, and their numbers side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.evaluation.protocols.metric_entry import entry_key
from harness.experiment import CHANGED, WATCHING, training_settings
from harness.results.verdicts import mean, standard_error


@dataclass(frozen=True)
class Measured:
    """One number of an experiment: the same protocol and subject, once a run.

    :param protocol: field by field.
    :param values: one a run, in the order of `seeds`.
    :param sampling_error: of the value where there is but one run; None where it has none.
    """

    metric: str
    protocol_id: str
    protocol: Mapping[str, Any]
    subject: Mapping[str, str]
    higher_is_better: bool | None
    values: tuple[float, ...]
    seeds: tuple[int, ...]
    sampling_error: float | None
    remarks: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Over runs."""
        return mean(self.values)

    @property
    def error(self) -> float | None:
        """Standard error of :attr:`mean` over runs; with one run, of the value over samples."""
        return standard_error(self.values) if len(self.values) > 1 else self.sampling_error

    @property
    def error_of(self) -> str | None:
        """What varies in :attr:`error`."""
        if len(self.values) > 1:
            return "seeds"
        return None if self.sampling_error is None else "sampling"


@dataclass(frozen=True)
class Replicates:
    """Records of one experiment, by rising seed."""

    records: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The record of the lowest seed, which stands for all in what they share."""
        return self.records[0]

    @property
    def recipe(self) -> str:
        """The recipe's id, whether or not it was overridden."""
        return str(self.first["recipe"]).removesuffix(CHANGED)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One a record."""
        return tuple(record["seed"] for record in self.records)

    @property
    def overridden(self) -> dict[str, Any]:
        """What was set over the recipe and touches training, by dotted key."""
        overrides = self.first["overrides"].items()
        return {key: value for key, value in overrides if key.partition(".")[0] not in WATCHING}

    @cached_property
    def numbers(self) -> tuple[Measured, ...]:
        """Every number, in the order of the first record that has it."""
        found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for record in self.records:
            for entry in record["metrics"]:
                found.setdefault(entry_key(entry), []).append((record["seed"], entry))
        return tuple(_measured(entries) for entries in found.values())


def _measured(entries: Sequence[tuple[int, Mapping[str, Any]]]) -> Measured:
    entry = entries[0][1]
    return Measured(
        metric=entry["metric"],
        protocol_id=entry["protocol_id"],
        protocol=entry["protocol"],
        subject=entry["subject"],
        higher_is_better=entry["higher_is_better"],
        values=tuple(each["value"] for _, each in entries),
        seeds=tuple(seed for seed, _ in entries),
        sampling_error=entry["std_error"] if len(entries) == 1 else None,
        remarks=tuple(dict.fromkeys(each["remark"] for _, each in entries if each.get("remark"))),
    )


def identity(record: Mapping[str, Any]) -> str:
    """What replicates share: their data and all that touches training, but not the seed."""
    settings = training_settings(record["settings"])
    coordinates = {key: value for key, value in record["coordinates"].items() if key != "seed"}
    data = {key: record["data"].get(key) for key in ("train_checksum", "notes")}
    parts = [record["method"], record["recipe"], record["scale"], coordinates, data, settings, record["exit_state"]]
    return json.dumps(parts, sort_keys=True)


def replicates(records: Iterable[Mapping[str, Any]]) -> list[Replicates]:
    """Records by experiment, in the order of first appearance; of two with one seed the first is taken."""
    groups: dict[str, dict[int, Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault(identity(record), {}).setdefault(record["seed"], record)
    return [Replicates(tuple(group[seed] for seed in sorted(group))) for group in groups.values()]
