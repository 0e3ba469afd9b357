"""Rows: one experiment over all its seeds and folds, as one subject was measured of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.catalog import Catalog
from harness.leaderboard.commands import rebuild_commands
from harness.leaderboard.reading import ResultFile
from harness.results.comparing import Verdict, verdicts_of
from harness.results.references import Reference
from harness.results.replicates import Measured, Replicates, replicates
from harness.results.verdicts import mean

VERIFIED, SELF_REPORTED = "verified", "self-reported"


@dataclass(frozen=True)
class Row:
    """What a leaderboard shows of one experiment.

    :param files: one a run, by rising fold and seed.
    :param subject: what of the method was measured.
    :param numbers: those of this subject, by :func:`protocol_key`.
    :param verdicts: printed numbers of the recipe whose answer is among `numbers`, or that have none.
    """

    runs: Replicates
    files: tuple[ResultFile, ...]
    subject: Mapping[str, str]
    numbers: Mapping[str, Measured]
    verdicts: tuple[Verdict, ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The record that stands for all in what they share."""
        return self.runs.first

    @cached_property
    def name(self) -> str:
        """The recipe, and what was set over it."""
        return " ".join([self.runs.recipe, *(f"{key}={value}" for key, value in self.runs.overridden.items())])

    @property
    def badge(self) -> str:
        """Verified where every seed's record was rebuilt from its artefacts."""
        return VERIFIED if all(file.verification is not None for file in self.files) else SELF_REPORTED

    @cached_property
    def commands(self) -> list[str]:
        """What to type for the same."""
        return rebuild_commands(self.runs)

    @property
    def parameters(self) -> int:
        """Of all networks together."""
        return sum(self.first["cost"]["parameters"].values())

    @property
    def images_seen(self) -> float:
        """Real images drawn in a run, on average."""
        return mean([record["cost"]["images_seen"] for record in self.runs.records])

    @property
    def device_hours(self) -> float:
        """Hours of training in a run, on average, times its devices."""
        costs = [record["cost"] for record in self.runs.records]
        return mean([cost["training_seconds"] * cost["devices"] for cost in costs]) / 3600

    @property
    def device(self) -> str:
        """What `device_hours` are hours of: CPU or GPU."""
        return "CPU" if self.first["environment"]["device"] == "cpu" else "GPU"


def protocol_key(number: Measured) -> str:
    """The whole protocol as text: what makes two numbers comparable."""
    return json.dumps(number.protocol, sort_keys=True)


def make_rows(files: Sequence[ResultFile], references: Iterable[Reference], catalog: Catalog) -> list[Row]:
    """Files as rows, in the order of first appearance; a diverged experiment has one row without numbers."""
    references = list(references)
    by_record = {id(file.record): file for file in files}
    rows = []
    for runs in replicates(file.record for file in files):
        own = tuple(by_record[id(record)] for record in runs.records)
        verdicts = verdicts_of(runs, references, catalog)
        for subject, numbers in _by_subject(runs).items():
            ids = {number.protocol_id for number in numbers.values()}
            mine = tuple(v for v in verdicts if v.protocol_id is None or v.protocol_id in ids)
            rows.append(Row(runs, own, dict(json.loads(subject)), numbers, mine))
    return rows


def _by_subject(runs: Replicates) -> dict[str, dict[str, Measured]]:
    found: dict[str, dict[str, Measured]] = {}
    for number in runs.numbers:
        subject = json.dumps(sorted(number.subject.items()))
        found.setdefault(subject, {})[protocol_key(number)] = number
    return found or {"[]": {}}
