"""Leaderboards as static HTML: one page a data set and an index, each complete in itself, without a server or network.

Whatever comes from files of results is escaped by Jinja. A page's style and script stand in the page.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.atomic import replacing
from harness.leaderboard.artefacts import RESULTS
from harness.leaderboard.board import Board
from harness.leaderboard.charts import Point, Series, curves, scatter
from harness.leaderboard.rows import Row
from harness.leaderboard.tables import FOLDS, Table
from harness.overrides import flattened
from harness.results.references import joined
from harness.results.replicates import replicate_of
from harness.results.verdicts import Outcome

#: beyond this many, a paper's numbers stay folded
MANY = 200

#: rows that a chart shows, the best of them
DRAWN = 24


def write_pages(board: Board, out: Path) -> list[Path]:
    """Write the index, and a page for each data set with results.

    :returns: their paths.
    """
    pages = _environment()
    linked = Links(out)
    shared = {"style": _inlined("style.css"), "script": _inlined("page.js"), "link": linked}
    written = {
        "index.html": pages.get_template("index.html.j2").render(
            **shared, title="Leaderboards", board=board, outcomes=list(Outcome)
        )
    }
    for dataset in board.shown:
        written[f"{dataset.file}.html"] = pages.get_template("dataset.html.j2").render(
            **shared,
            title=dataset.dataset,
            dataset=dataset,
            folds=FOLDS if any(table.folds is not None for table in dataset.tables) else None,
            quality=quality,
            learning=learning,
            many=MANY,
            drawn=DRAWN,
        )
    for name, text in written.items():
        with replacing(out / name, "w") as handle:
            handle.write(text)
    return [out / name for name in written]


class Links:
    """Addresses of files, as seen from the folder of the pages.

    :param out: the folder of the pages.
    """

    def __init__(self, out: Path) -> None:
        self._out = out.resolve()

    def record(self, path: Path) -> str | None:
        """A file of results that lies below the pages; None for one that does not."""
        full = path.resolve()
        return self._relative(full) if full.is_relative_to(self._out) else None

    def image(self, path: Path) -> str:
        """A grid of samples: where it lies, or a copy of it below the pages."""
        full = path.resolve()
        if full.is_relative_to(self._out):
            return self._relative(full)
        digest = hashlib.sha256(full.read_bytes()).hexdigest()[:16]
        copy = self._out / "samples" / f"{digest}.png"
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(full, copy)
        return self._relative(copy)

    def _relative(self, full: Path) -> str:
        from urllib.parse import quote

        return quote(os.path.relpath(full, self._out))


def quality(table: Table) -> Markup:
    """The table's leading number against hours of training."""
    column = table.leading
    if column is None:
        return Markup("")
    series = []
    for row, label in zip(table.rows, table.labels, strict=True):
        number = row.numbers.get(column.key)
        if number is not None:
            series.append(Series(label, [Point(row.device_hours, number.mean, number.error or 0.0)]))
    devices = "/".join(sorted({row.device for row in table.rows}))
    return scatter(series[:DRAWN], f"{devices} hours of training", f"{column.metric} {column.arrow}".strip())


def learning(table: Table) -> Markup:
    """The table's leading number against steps: the mean over runs where all of them measured it."""
    column = table.leading
    if column is None:
        return Markup("")
    series = []
    for row, label in zip(table.rows, table.labels, strict=True):
        points: dict[int, list[float]] = defaultdict(list)
        for file in row.files:
            for step, value in file.curves.get(column.protocol_id, ()):
                points[step].append(value)
        means = [Point(step, sum(v) / len(v)) for step, v in sorted(points.items()) if len(v) == len(row.files)]
        series.append(Series(label, means))
    return curves(series[:DRAWN], "steps", f"{column.metric} {column.arrow}".strip())


def _environment() -> Environment:
    pages = Environment(
        loader=PackageLoader("harness.leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals |= {"joined": joined, "settings_of": _settings, "seeds_of": _seeds}
    pages.filters |= {"number": _number}
    return pages


def _inlined(name: str) -> Markup:
    return Markup(files("harness.leaderboard").joinpath("templates", name).read_text(encoding="utf-8"))


def _settings(row: Row) -> Mapping[str, Any]:
    return flattened(row.first["settings"])


def _seeds(row: Row) -> list[dict[str, Any]]:
    """Each run: which it is, where and when it ran, and its record."""
    found = []
    for file in row.files:
        environment = file.record["environment"]
        found.append(
            {
                "which": replicate_of(file.record),
                "path": file.path if file.path.name == RESULTS else None,
                "date": environment["date"],
                "device": environment["device_name"],
                "commit": (environment["commit"] or "")[:12],
                "threads": environment["threads"] or "",
                "seconds": file.record["cost"]["training_seconds"],
                "verified": file.verification,
            }
        )
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
