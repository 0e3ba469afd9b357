"""Leaderboards as CSV: a line for every number of every row, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.leaderboard.board import DatasetBoard
from harness.leaderboard.tables import Table
from harness.results.references import joined
from harness.results.replicates import Replicate

COLUMNS = (
    "dataset",
    "table",
    "scale",
    "fraction",
    "method",
    "recipe",
    "changes",
    "subject",
    "metric",
    "protocol_id",
    "mean",
    "error",
    "error_of",
    "seeds",
    "rank",
    "higher_is_better",
    "printed",
    "printed_id",
    "verdict",
    "parameters",
    "images_seen",
    "device_hours",
    "device",
    "badge",
    "command",
)


def csv_text(board: DatasetBoard) -> str:
    """The file's content."""
    import pandas

    lines = [line for number, table in enumerate(board.tables, 1) for line in _lines(number, table)]
    frame = pandas.DataFrame(lines, columns=list(COLUMNS), dtype=object)
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text


def _replicate(one: Replicate) -> str:
    """A run's seed, with its fold where it has one: ``0``, ``0@3/7``."""
    return str(one.seed) if one.fold is None else f"{one.seed}@{one.fold}"


def _lines(number: int, table: Table) -> Iterator[dict[str, Any]]:
    for row, cells in zip(table.rows, table.cells, strict=True):
        for column, cell in zip(table.columns, cells, strict=True):
            if cell is None:
                continue
            yield {
                "dataset": table.dataset,
                "table": number,
                "scale": table.scale,
                "fraction": table.fraction,
                "method": row.first["method"],
                "recipe": row.runs.recipe,
                "changes": joined({key: str(value) for key, value in row.runs.overridden.items()}),
                "subject": joined(row.subject),
                "metric": column.metric,
                "protocol_id": column.protocol_id,
                "mean": cell.number.mean,
                "error": cell.number.error,
                "error_of": cell.number.error_of,
                "seeds": " ".join(map(_replicate, cell.number.replicates)),
                "rank": cell.rank,
                "higher_is_better": column.higher_is_better,
                "printed": " ".join(v.reference.printed for v in cell.verdicts),
                "printed_id": " ".join(v.reference.id for v in cell.verdicts),
                "verdict": "; ".join(v.outcome.value for v in cell.verdicts),
                "parameters": row.parameters,
                "images_seen": round(row.images_seen),
                "device_hours": round(row.device_hours, 6),
                "device": row.device,
                "badge": row.badge,
                "command": "; ".join(row.commands),
            }
