"""Tables: rows that may stand beside each other, because they share protocols and disagree on none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.leaderboard.ranking import ranks
from harness.leaderboard.rows import Row
from harness.results.comparing import Verdict, number_differences
from harness.results.replicates import Measured

#: what to know of tables of folds besides
FOLDS = (
    "Folds: training and test items together, cut into so many parts, each held out in turn as the test split. "
    "± and ranks are then over seeds and folds, as if these were independent; folds share most of their training items."
)


@dataclass(frozen=True)
class Column:
    """One protocol.

    :param key: the whole protocol as text.
    :param label: the metric, with what tells it from the table's other columns of that name.
    :param headline: whether it is the first of its metric, and so stands in the short form of the table.
    """

    key: str
    metric: str
    label: str
    protocol_id: str
    protocol: Mapping[str, Any]
    higher_is_better: bool | None
    headline: bool

    @property
    def arrow(self) -> str:
        """The direction of better."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]


@dataclass(frozen=True)
class Cell:
    """A row's number under a column's protocol.

    :param rank: shared by rows that cannot be told apart; None where there is nothing to rank by.
    :param leads: whether it is ranked first, and some other row is not.
    :param verdicts: what became of the printed numbers that this one answers to.
    """

    number: Measured
    rank: int | None
    leads: bool
    verdicts: tuple[Verdict, ...]

    @cached_property
    def text(self) -> str:
        """Mean ± standard error, in four digits."""
        mean = f"{self.number.mean:.4g}"
        return mean if self.number.error is None else f"{mean} ± {self.number.error:.2g}"


@dataclass(frozen=True)
class Table:
    """Comparable rows of one data set, scale, fraction and number of folds."""

    dataset: str
    scale: str
    fraction: float
    folds: int | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @cached_property
    def leading(self) -> Column | None:
        """The first column that has a direction, by which rows stand in order; None where none has."""
        return leading(self.columns)

    @cached_property
    def cells(self) -> tuple[tuple[Cell | None, ...], ...]:
        """By row and column; None where a row lacks the number."""
        by_column = [self._column(column) for column in self.columns]
        return tuple(tuple(column[n] for column in by_column) for n in range(len(self.rows)))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What each row is called: its name, and what of its subject not all rows share."""
        shared = set.intersection(*(set(row.subject.items()) for row in self.rows))
        return tuple(
            " ".join(
                [row.name, *(f"{key}={value}" for key, value in row.subject.items() if (key, value) not in shared)]
            )
            for row in self.rows
        )

    @property
    def title(self) -> str:
        """What its rows share."""
        part = "" if self.fraction == 1.0 else f", {self.fraction:g} of the training data"
        folds = "" if self.folds is None else f", {self.folds} folds"
        return f"{self.scale} scale{part}{folds}"

    def _column(self, column: Column) -> list[Cell | None]:
        numbers = [row.numbers.get(column.key) for row in self.rows]
        found = ranks([() if number is None else number.values for number in numbers], column.higher_is_better)
        apart = len({rank for rank in found if rank is not None}) > 1
        return [
            None if number is None else Cell(number, rank, apart and rank == 1, _answers(row, number))
            for row, number, rank in zip(self.rows, numbers, found, strict=True)
        ]


def _answers(row: Row, number: Measured) -> tuple[Verdict, ...]:
    """Verdicts on this very number; one whose protocol or subject is another's stands in the row's details alone."""
    own = [verdict for verdict in row.verdicts if verdict.protocol_id == number.protocol_id]
    return tuple(verdict for verdict in own if not number_differences(number, verdict.reference))


#: what all rows of a table share: data set, scale, fraction, folds
_Place = tuple[str, str, float, int | None]


def make_tables(rows: Iterable[Row]) -> list[Table]:
    """Rows as tables, larger ones first; a row that shares no protocol with another stands in a table of its own."""
    groups: dict[_Place, list[list[Row]]] = {}
    # rows with more protocols first, so that the others find the table which holds theirs
    for row in sorted(rows, key=lambda row: (-len(row.numbers), row.name)):
        place = (row.first["dataset"], row.first["scale"], row.first["coordinates"]["fraction"], row.runs.folds)
        tables = groups.setdefault(place, [])
        table = next((table for table in tables if all(_agree(row, other) for other in table)), None)
        if table is None:
            tables.append([row])
        else:
            table.append(row)
    made = [_table(place, table) for place, tables in groups.items() for table in tables if table[0].numbers]
    return sorted(
        made, key=lambda table: (table.dataset, table.scale, -table.fraction, table.folds or 0, -len(table.rows))
    )


def _agree(row: Row, other: Row) -> bool:
    """Whether they share a protocol, and for no metric does each have protocols that the other lacks."""
    if not row.numbers.keys() & other.numbers.keys():
        return False
    ours, theirs = _by_metric(row), _by_metric(other)
    return all(ours[name] <= theirs[name] or ours[name] >= theirs[name] for name in ours.keys() & theirs.keys())


def _by_metric(row: Row) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, number in row.numbers.items():
        found.setdefault(number.metric, set()).add(key)
    return found


def _table(place: _Place, rows: Sequence[Row]) -> Table:
    numbers: dict[str, Measured] = {}
    for row in rows:
        for key, number in row.numbers.items():
            numbers.setdefault(key, number)
    labels = _labels(list(numbers.values()))
    columns = []
    seen: set[str] = set()
    for (key, number), label in zip(numbers.items(), labels, strict=True):
        columns.append(
            Column(
                key=key,
                metric=number.metric,
                label=label,
                protocol_id=number.protocol_id,
                protocol=number.protocol,
                higher_is_better=number.higher_is_better,
                headline=number.metric not in seen,
            )
        )
        seen.add(number.metric)
    first = leading(columns)
    return Table(*place, tuple(columns), tuple(sorted(rows, key=lambda row: _place(first, row))))


def leading(columns: Sequence[Column]) -> Column | None:
    """The first that has a direction."""
    return next((column for column in columns if column.higher_is_better is not None), None)


def _place(column: Column | None, row: Row) -> tuple[float, str]:
    """Rows stand in the order of the leading column, the best first; without a number, last."""
    number = None if column is None else row.numbers.get(column.key)
    if column is None or number is None:
        return float("inf"), row.name
    return (-number.mean if column.higher_is_better else number.mean), row.name


def _labels(numbers: Sequence[Measured]) -> list[str]:
    """Each metric's name, and what of its protocol id its namesakes do not share."""
    terms = [number.protocol_id.partition("[")[2].removesuffix("]").split(",") for number in numbers]
    labels = []
    for number, own in zip(numbers, terms, strict=True):
        namesakes = [other for which, other in zip(numbers, terms, strict=True) if which.metric == number.metric]
        telling = [term for term in own if not all(term in other for other in namesakes)]
        labels.append(number.metric + (f" ({', '.join(telling)})" if telling else ""))
    return _told_apart(labels, numbers)


def _told_apart(labels: list[str], numbers: Sequence[Measured]) -> list[str]:
    """Where two protocols have one id (another data checksum, say), the fields that differ are named."""
    result = []
    for label, number in zip(labels, numbers, strict=True):
        twins = [n.protocol for other, n in zip(labels, numbers, strict=True) if other == label]
        keys = [key for key in number.protocol if any(twin.get(key) != number.protocol[key] for twin in twins)]
        told = ", ".join(f"{key}={json.dumps(number.protocol[key])[:14]}" for key in keys)
        result.append(f"{label} [{told}]" if told else label)
    return result
