"""``harness leaderboard``: tables and pages from files of results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.catalog import open_catalog
from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json

#: where results are kept, below the folder of the pages
RESULTS = "results"


def leaderboard(
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", metavar="PATH", help="Folder or file of results; OUT/results without. Repeatable."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the tables and pages go.")] = Path("leaderboards"),
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", metavar="RUN", help="First copy what is kept of a run to OUT/results. Repeatable."),
    ] = None,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Build tables and pages from files of results.

    Markdown, CSV and HTML; files that cannot be used are named and left out.
    """
    from harness.leaderboard.artefacts import collect
    from harness.leaderboard.board import gather
    from harness.leaderboard.building import build

    catalog = open_catalog(without or ())
    for run in add or ():
        print(f"kept   {collect(run, out / RESULTS)}", file=sys.stderr)
    board = gather(results or [out / RESULTS], catalog)
    for problem in (*board.problems, *(f"{skipped.path} is left out: {skipped.reason}" for skipped in board.skipped)):
        print(f"warning: {problem}", file=sys.stderr)
    written = build(board, out)
    tables = sum(len(dataset.tables) for dataset in board.datasets)
    rows = sum(dataset.rows for dataset in board.datasets)
    if as_json:
        print_json(
            {
                "results": board.results,
                "rows": rows,
                "tables": tables,
                "skipped": [{"path": str(skipped.path), "reason": skipped.reason} for skipped in board.skipped],
                "problems": list(board.problems),
                "written": [str(path) for path in written],
            }
        )
        return
    counts = ((board.results, "result"), (rows, "row"), (tables, "table"), (len(board.skipped), "file"))
    of, inside, among, out_of = (f"{n} {word if n == 1 else word + 's'}" for n, word in counts)
    print(f"{of} in {inside} of {among}, {out_of} left out")
    print(f"pages  {out / 'index.html'}")
    print(f"tables {out / 'index.md'}")
