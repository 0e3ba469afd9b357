"""Runs of one experiment that differ in nothing but seed and fold, and their numbers side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from harness.data.folds import Fold
from harness.evaluation.protocols.metric_entry import entry_key
from harness.experiment import CHANGED, WATCHING, training_settings
from harness.results.verdicts import mean, standard_error


class Replicate(NamedTuple):
    """Which repetition of an experiment a run is; they stand in the order of folds, and in each in that of seeds.

    :ivar fold: None for the splits as they are stored.
    """

    fold: Fold | None
    seed: int

    def __str__(self) -> str:
        return str(self.seed) if self.fold is None else f"{self.seed} with fold {self.fold}"

    @property
    def place(self) -> tuple[int, int]:
        """What to sort those of one experiment by."""
        return (0 if self.fold is None else self.fold.number, self.seed)


def replicate_of(record: Mapping[str, Any]) -> Replicate:
    """Which repetition a record is of."""
    fold = record["coordinates"]["fold"]
    return Replicate(None if fold is None else Fold.parse(fold), record["seed"])


@dataclass(frozen=True)
class Measured:
    """One number of an experiment: the same protocol and subject, once a run.

    :param protocol: field by field.
    :param values: one a run, in the order of `replicates`.
    :param sampling_error: of the value where there is but one run; None where it has none.
    """

    metric: str
    protocol_id: str
    protocol: Mapping[str, Any]
    subject: Mapping[str, str]
    higher_is_better: bool | None
    values: tuple[float, ...]
    replicates: tuple[Replicate, ...]
    sampling_error: float | None
    remarks: tuple[str, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """One a value."""
        return tuple(one.seed for one in self.replicates)

    def of(self, replicate: Replicate) -> float | None:
        """The value of one run; None where that has none."""
        return dict(zip(self.replicates, self.values, strict=True)).get(replicate)

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
            return varying(self.replicates)
        return None if self.sampling_error is None else "sampling"


@dataclass(frozen=True)
class Replicates:
    """Records of one experiment, by rising fold and seed."""

    records: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The record of the lowest fold and seed, which stands for all in what they share."""
        return self.records[0]

    @property
    def recipe(self) -> str:
        """The recipe's id, whether or not it was overridden."""
        return str(self.first["recipe"]).removesuffix(CHANGED)

    @cached_property
    def replicates(self) -> tuple[Replicate, ...]:
        """One a record."""
        return tuple(map(replicate_of, self.records))

    @property
    def seeds(self) -> tuple[int, ...]:
        """One a record."""
        return tuple(one.seed for one in self.replicates)

    @property
    def folds(self) -> int | None:
        """How many folds the data is cut into; None for the splits as they are stored."""
        return None if self.replicates[0].fold is None else self.replicates[0].fold.of

    @property
    def counted(self) -> str:
        """How many seeds there are, and how many of the folds: "3", or "1 seed on 7 of 7 folds"."""
        seeds, parts = len(set(self.seeds)), len({one.fold for one in self.replicates})
        if self.folds is None:
            return str(seeds)
        return f"{seeds} {'seed' if seeds == 1 else 'seeds'} on {parts} of {self.folds} folds"

    @property
    def overridden(self) -> dict[str, Any]:
        """What was set over the recipe and touches training, by dotted key."""
        overrides = self.first["overrides"].items()
        return {key: value for key, value in overrides if key.partition(".")[0] not in WATCHING}

    @cached_property
    def numbers(self) -> tuple[Measured, ...]:
        """Every number, in the order of the first record that has it."""
        found: dict[str, list[tuple[Replicate, Mapping[str, Any]]]] = {}
        for replicate, record in zip(self.replicates, self.records, strict=True):
            for entry in record["metrics"]:
                found.setdefault(entry_key(entry), []).append((replicate, entry))
        return tuple(_measured(entries) for entries in found.values())


def _measured(entries: Sequence[tuple[Replicate, Mapping[str, Any]]]) -> Measured:
    entry = entries[0][1]
    return Measured(
        metric=entry["metric"],
        protocol_id=entry["protocol_id"],
        protocol=entry["protocol"],
        subject=entry["subject"],
        higher_is_better=entry["higher_is_better"],
        values=tuple(each["value"] for _, each in entries),
        replicates=tuple(replicate for replicate, _ in entries),
        sampling_error=entry["std_error"] if len(entries) == 1 else None,
        remarks=tuple(dict.fromkeys(each["remark"] for _, each in entries if each.get("remark"))),
    )


def varying(replicates: Sequence[Replicate]) -> str:
    """What tells repetitions apart: "seeds", "folds", or "seeds and folds"."""
    folds = len({one.fold for one in replicates}) > 1
    if not folds:
        return "seeds"
    return "seeds and folds" if len({one.seed for one in replicates}) > 1 else "folds"


def identity(record: Mapping[str, Any]) -> str:
    """What replicates share: their data and all that touches training, but neither the seed nor which of the folds."""
    settings = training_settings(record["settings"])
    coordinates = {key: value for key, value in record["coordinates"].items() if key not in ("seed", "fold")}
    data = {key: record["data"].get(key) for key in ("train_checksum", "notes")}
    fold = replicate_of(record).fold
    if fold is not None:  # each is trained on other items of the same whole
        coordinates["folds"] = fold.of
        data["train_checksum"] = record["data"].get("folds_checksum") or data["train_checksum"]
    parts = [record["method"], record["recipe"], record["scale"], coordinates, data, settings, record["exit_state"]]
    return json.dumps(parts, sort_keys=True)


def replicates(records: Iterable[Mapping[str, Any]]) -> list[Replicates]:
    """Records by experiment, in the order of first appearance; of two with one seed and fold the first is taken."""
    groups: dict[str, dict[Replicate, Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault(identity(record), {}).setdefault(replicate_of(record), record)
    return [
        Replicates(tuple(group[one] for one in sorted(group, key=lambda one: one.place))) for group in groups.values()
    ]
