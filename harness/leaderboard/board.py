"""Everything that the pages and tables show, gathered from files of results and from the papers' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.catalog import Catalog
from harness.experiment import file_name
from harness.leaderboard.reading import Skipped, read_results
from harness.leaderboard.rows import Row, make_rows
from harness.leaderboard.tables import Table, make_tables
from harness.results.comparing import Verdict
from harness.results.references import Reference, open_references
from harness.results.verdicts import Outcome

#: name of the index's files, which no data set can have
INDEX = "index"


@dataclass(frozen=True)
class Printed:
    """A printed number and what became of it: the best that any runs came to."""

    reference: Reference
    outcome: Outcome
    why: str


@dataclass(frozen=True)
class DatasetBoard:
    """What there is on one data set.

    :param tables: comparable rows.
    :param diverged: experiments that came to no number.
    :param printed: every number that the papers print on it, in the papers' order.
    """

    dataset: str
    tables: tuple[Table, ...]
    diverged: tuple[Row, ...]
    printed: tuple[Printed, ...]

    @property
    def file(self) -> str:
        """Name of its files, without the ending."""
        return file_name(self.dataset, taken=(INDEX,))

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(len(table.rows) for table in self.tables)


@dataclass(frozen=True)
class PaperBoard:
    """What became of one paper's numbers.

    :param quoted: those that the paper repeats from others.
    :param bound: those with a recipe here.
    :param outcomes: numbers of each outcome, in the order of :class:`Outcome`.
    """

    paper: str
    printed: int
    quoted: int
    bound: int
    outcomes: tuple[int, ...]


@dataclass(frozen=True)
class Board:
    """All data sets with results or printed numbers.

    :param results: files that were used.
    :param skipped: files that were not, and why.
    :param problems: papers whose numbers could not be read.
    """

    datasets: tuple[DatasetBoard, ...]
    results: int
    skipped: tuple[Skipped, ...]
    problems: tuple[str, ...]

    @property
    def shown(self) -> tuple[DatasetBoard, ...]:
        """Data sets with results, each of which has files of its own."""
        return tuple(dataset for dataset in self.datasets if dataset.tables or dataset.diverged)

    @property
    def printed(self) -> tuple[Printed, ...]:
        """Every printed number."""
        return tuple(number for dataset in self.datasets for number in dataset.printed)

    @property
    def papers(self) -> tuple[PaperBoard, ...]:
        """What became of each paper's numbers, by the paper's name."""
        by_paper: dict[str, list[Printed]] = {}
        for number in self.printed:
            by_paper.setdefault(number.reference.paper, []).append(number)
        return tuple(_paper(paper, by_paper[paper]) for paper in sorted(by_paper))


#: of several verdicts on one printed number, the first of these is the one to show
_BEST = (
    Outcome.REPRODUCED,
    Outcome.BETTER,
    Outcome.INCONCLUSIVE,
    Outcome.WORSE,
    Outcome.NOT_COMPARABLE,
    Outcome.NOT_RUN,
)


def gather(places: Sequence[Path], catalog: Catalog) -> Board:
    """The board of all results below some places.

    :raises UserError: where a place does not exist.
    """
    files, skipped = read_results(places, catalog)
    references, problems = open_references(catalog)
    rows = make_rows(files, references, catalog)
    verdicts: dict[str, list[Verdict]] = {}
    for row in rows:
        for verdict in row.verdicts:
            verdicts.setdefault(verdict.reference.id, []).append(verdict)
    tables = make_tables(rows)
    names = sorted({row.first["dataset"] for row in rows} | {reference.dataset for reference in references})
    datasets = tuple(
        DatasetBoard(
            dataset=name,
            tables=tuple(table for table in tables if table.dataset == name),
            diverged=tuple(row for row in rows if row.first["dataset"] == name and not row.numbers),
            printed=tuple(_printed(ref, verdicts.get(ref.id, [])) for ref in references if ref.dataset == name),
        )
        for name in names
    )
    return Board(datasets, len(files), tuple(skipped), tuple(problems))


def _paper(name: str, numbers: Sequence[Printed]) -> PaperBoard:
    return PaperBoard(
        paper=name,
        printed=len(numbers),
        quoted=sum(bool(number.reference.quoted_from) for number in numbers),
        bound=sum(number.reference.recipe is not None for number in numbers),
        outcomes=tuple(sum(number.outcome is outcome for number in numbers) for outcome in Outcome),
    )


def _printed(reference: Reference, verdicts: Sequence[Verdict]) -> Printed:
    if not verdicts:
        why = f"no run of {reference.recipe}" if reference.recipe else "no recipe here does what it was printed for"
        return Printed(reference, Outcome.NOT_RUN, why)
    best = min(verdicts, key=lambda verdict: _BEST.index(verdict.outcome))
    return Printed(reference, best.outcome, best.why)
