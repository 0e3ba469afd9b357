"""What a person sees of a run: a progress bar in a terminal, plain lines elsewhere, and facts in either."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO


class Reporter:
    """Prints to standard error, so that standard output stays for results.

    :param quiet: print nothing.
    """

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._progress: Any = None
        self._task: Any = None

    def mute(self) -> None:
        """Say nothing from now on (the other processes of a run)."""
        self._quiet = True

    @property
    def live(self) -> bool:
        """Whether there is a terminal to draw a bar in."""
        return not self._quiet and self._stream.isatty()

    def note(self, text: str) -> None:
        """A fact that the user should know."""
        if self._quiet:
            return
        if self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self._stream, flush=True)

    def start(self, stage: str, total: int, done: int) -> None:
        """A stage begins (or goes on at `done`)."""
        if not self.live:
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")  # what is narrow keeps its width
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[values]}", table_column=rest),
            console=Console(file=self._stream),
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(stage, total=total, completed=done, values="")
        self._progress.start()

    def step(self) -> None:
        """One step is done."""
        if self._progress is not None:
            self._progress.advance(self._task)

    def line(
        self,
        stage: str,
        done: int,
        total: int,
        values: Mapping[str, float],
        images_per_second: float,
        seconds_left: float,
    ) -> None:
        """A line of the log is due."""
        shown = "  ".join(
            [f"{images_per_second:.0f} img/s", *(f"{name}={value:.4g}" for name, value in values.items())]
        )
        if self._progress is not None:
            self._progress.update(self._task, values=shown)
        elif not self._quiet:
            self.note(f"{stage} {done}/{total}  {shown}  {duration(seconds_left)} left")

    def stop(self) -> None:
        """The stage is over, or the run broke off."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def duration(seconds: float) -> str:
    """Readable to two units: 45s, 12m05s, 3h20m, 5d04h."""
    seconds = max(0, round(seconds))
    for unit, size, smaller, small in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if seconds >= size:
            return f"{seconds // size}{unit}{seconds % size // small:02d}{smaller}"
    return f"{seconds}s"
