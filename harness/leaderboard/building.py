"""All files of a leaderboard, written anew."""

from __future__ import annotations

from pathlib import Path

from harness.atomic import replacing
from harness.errors import UserError
from harness.leaderboard import markdown
from harness.leaderboard.board import Board
from harness.leaderboard.page import write_pages
from harness.leaderboard.spreadsheet import csv_text


def build(board: Board, out: Path) -> list[Path]:
    """Write index.md and index.html, and for each data set with results a .md, .csv and .html; other files stay.

    :returns: what was written.
    :raises UserError: where the folder does not take them.
    """
    texts = {"index.md": markdown.index(board)}
    for dataset in board.shown:
        texts[f"{dataset.file}.md"] = markdown.dataset(dataset)
        texts[f"{dataset.file}.csv"] = csv_text(dataset)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with replacing(out / name, "w") as handle:
                handle.write(text)
        return [*(out / name for name in texts), *write_pages(board, out)]
    except OSError as error:
        raise UserError(f"cannot write in {out}: {error.strerror or error}", "choose another --out") from error
