"""Leaderboards as Markdown: what is read in a repository's browser and pasted into papers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.leaderboard.board import Board, DatasetBoard
from harness.leaderboard.tables import FOLDS, Cell, Table
from harness.results.verdicts import Outcome

HOW_TO_READ = (
    "± is the standard error over seeds (of one seed: over samples). "
    "#: 1 + the number of rows that are significantly better in the first column with a direction "
    "(Welch's t test on seeds, Holm's correction, 5 %), so that rows which cannot be told apart share it; "
    "bold: first in its column, and some other row is not. One seed has no rank. "
    "verified: rebuilt from its artefacts by `harness verify`; self-reported: not."
)

#: what would begin a heading or a list inside a list item
_BEGINNING = re.compile(r"^(\d*)([#+.)-])")


def index(board: Board) -> str:
    """All data sets with results, and what became of each paper's numbers."""
    lines = [
        "# Leaderboards",
        "",
        f"{board.results} {'result' if board.results == 1 else 'results'}. Made by `harness leaderboard`.",
        "",
    ]
    lines += [_table(("data set", "tables", "rows"), [_dataset_line(dataset) for dataset in board.shown])]
    lines += ["", "## What became of the papers' numbers", ""]
    outcomes = [outcome.value for outcome in Outcome]
    papers = [[each.paper, *map(str, (each.printed, each.bound, *each.outcomes))] for each in board.papers]
    lines += [_table(("paper", "printed", "with a recipe here", *outcomes), papers)]
    if board.skipped:
        lines += ["", "## Left out", ""]
        lines += [f"- {text(skipped.name)}: {text(skipped.reason)}" for skipped in board.skipped]
    return "\n".join(lines) + "\n"


def dataset(board: DatasetBoard) -> str:
    """One data set's tables, with the protocols and the commands behind them."""
    lines = [f"# {text(board.dataset)}", "", HOW_TO_READ]
    if any(table.folds is not None for table in board.tables):
        lines += ["", FOLDS]
    for number, table in enumerate(board.tables, 1):
        lines += ["", f"## Table {number}: {text(table.title)}", "", *_table_lines(table)]
    if board.diverged:
        lines += ["", "## Diverged", ""]
        lines += [f"- {text(row.name)}: {', '.join(map(_code, row.commands))}" for row in board.diverged]
    return "\n".join(lines) + "\n"


def _table_lines(table: Table) -> list[str]:
    shown = [n for n, column in enumerate(table.columns) if column.headline]
    first = None if table.leading is None else table.columns.index(table.leading)
    headers = ["#", "method", *(f"{text(table.columns[n].label)} {table.columns[n].arrow}".strip() for n in shown)]
    headers += ["parameters", "real images", "hours", "seeds", "badge"]
    rows = []
    for row, label, cells in zip(table.rows, table.labels, table.cells, strict=True):
        ranked = cells[first] if first is not None else None
        rows.append(
            [
                "" if ranked is None or ranked.rank is None else str(ranked.rank),
                text(label),
                *(_cell(cells[n]) for n in shown),
                f"{row.parameters:,}",
                f"{row.images_seen:,.0f}",
                f"{row.device_hours:.2g} {row.device}",
                row.runs.counted,
                row.badge,
            ]
        )
    lines = [_table(headers, rows), "", "Protocols:", ""]
    lines += [f"- {text(table.columns[n].label)}: {_code(table.columns[n].protocol_id)}" for n in shown]
    lines += ["", "Commands:", ""]
    for row, label in zip(table.rows, table.labels, strict=True):
        lines += [f"- {text(label)}: {', '.join(map(_code, row.commands))}"]
    verdicts = {verdict.reference.id: verdict for row in table.rows for verdict in row.verdicts}
    if verdicts:
        lines += ["", "Against the papers:", ""]
        rows = [
            [v.reference.id, text(v.reference.row), v.reference.metric, v.reference.printed, _ours(v.ours), v.outcome]
            for v in verdicts.values()
        ]
        lines += [_table(("reference", "row", "metric", "printed", "ours", "verdict"), rows)]
    return lines


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    shown = f"**{cell.text}**" if cell.leads else cell.text
    return " ".join([shown, *(f"({v.reference.printed} printed: {v.outcome.value})" for v in cell.verdicts)])


def _ours(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _dataset_line(dataset: DatasetBoard) -> list[str]:
    return [f"[{text(dataset.dataset)}]({dataset.file}.md)", str(len(dataset.tables)), str(dataset.rows)]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from tabulate import tabulate

    found: str = tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True)
    return found


def text(value: str) -> str:
    """Text from a file of results as text in a Markdown table, whatever it holds."""
    plain = " ".join(str(value).split())
    for mark in "&<>|\\":  # what a backslash cannot keep apart in every renderer; & first, for the others bring one
        plain = plain.replace(mark, f"&#{ord(mark)};")
    for mark in "[]*`_~":
        plain = plain.replace(mark, f"\\{mark}")
    return _BEGINNING.sub(r"\1\\\2", plain)


def _code(value: str) -> str:
    """Text as code; it ends where it should even if it holds backticks."""
    plain = value.replace("\n", " ")
    fence = "`"
    while fence in plain:
        fence += "`"
    inside = f" {plain} " if "`" in plain else plain
    return f"{fence}{inside}{fence}"
