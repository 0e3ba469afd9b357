"""``harness references``: the numbers that the papers print."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from harness.catalog import Catalog, open_catalog
from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json, print_table
from harness.errors import SettingsError, UnknownName

if TYPE_CHECKING:
    from harness.results.references import Reference

Many = list[str] | None


def references(
    paper: Annotated[Many, typer.Option("--paper", help="Only this paper's. May be repeated.")] = None,
    table: Annotated[Many, typer.Option("--table", help="Only this table's, e.g. 'Table 8'. May be repeated.")] = None,
    dataset: Annotated[Many, typer.Option("--dataset", help="Only this data set's. May be repeated.")] = None,
    recipe: Annotated[Many, typer.Option("--recipe", help="Only what this recipe answers to. May be repeated.")] = None,
    metric: Annotated[Many, typer.Option("--metric", help="Only this metric's. May be repeated.")] = None,
    protocols: Annotated[bool, typer.Option("--protocols", help="How they were measured, instead.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Print the numbers of the papers' tables."""
    if as_csv and (as_json or protocols):
        raise SettingsError(f"--csv and {'--json' if as_json else '--protocols'} contradict each other", "give one")
    found = opened(open_catalog(without or ()), paper or ())
    columns = {"table": table, "dataset": dataset, "recipe": recipe, "metric": metric}
    for column, wanted in columns.items():
        found = _only(found, column, wanted)
    if protocols:
        _print_protocols(found, as_json)
    elif as_json:
        print_json([_record(reference) for reference in found])
    elif as_csv:
        _print_csv(found)
    else:
        _print_table(found)


def opened(catalog: Catalog, papers: Sequence[str] = ()) -> list[Reference]:
    """The numbers of all papers, or of those named; a folder that cannot be read is a warning."""
    from harness.results.references import open_references

    found, problems = open_references(catalog, papers)
    for problem in problems:
        print(f"warning: {problem}", file=sys.stderr)
    return found


def _only(found: Sequence[Reference], column: str, wanted: Many) -> list[Reference]:
    """Those whose column is one of the wanted; a name that no number has is a mistake."""
    if not wanted:
        return list(found)
    known = {str(value) for reference in found if (value := getattr(reference, column))}
    folded = {value.casefold(): value for value in known}
    for value in wanted:
        if value.casefold() not in folded:
            raise UnknownName(f"{column} among these numbers", value, known)
    chosen = {folded[value.casefold()] for value in wanted}
    return [reference for reference in found if getattr(reference, column) in chosen]


def _print_table(found: Sequence[Reference]) -> None:
    rows = [
        (
            reference.id,
            reference.row,
            reference.dataset + ("" if reference.fraction == 1 else f" x {reference.fraction:g}"),
            reference.metric,
            reference.shown,
            "; ".join(f"{key}={value}" for key, value in reference.setting.items()),
            "; ".join(f"{key}={value}" for key, value in reference.subject.items()),
            " ".join([reference.recipe or "", f"({reference.quoted_from})" if reference.quoted_from else ""]).strip(),
            reference.note,
        )
        for reference in found
    ]
    headers = (
        "reference",
        "row",
        "data set",
        "metric",
        "printed",
        "setting",
        "subject",
        "recipe (quoted from)",
        "note",
    )
    print_table(headers, rows)
    papers = len({reference.paper for reference in found})
    print(f"{len(found)} numbers of {papers} {'paper' if papers == 1 else 'papers'}")


def _print_csv(found: Sequence[Reference]) -> None:
    from harness.results.references import COLUMNS

    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(reference.line() for reference in found)


def _record(reference: Reference) -> dict[str, object]:
    line: dict[str, object] = dict(reference.line())
    numbers = {"fraction": reference.fraction, "value": reference.value, "std": reference.std}
    pairs = {"setting": dict(reference.setting), "subject": dict(reference.subject), "recipe": reference.recipe}
    protocol = reference.protocol.model_dump(mode="json", exclude_defaults=True)
    return {"id": reference.id, **line, **numbers, "printed": reference.printed, **pairs, "protocol": protocol}


def _print_protocols(found: Sequence[Reference], as_json: bool) -> None:
    seen = {(reference.paper, reference.protocol.key): reference.protocol for reference in found}
    if as_json:
        print_json([{"paper": paper, **protocol.model_dump(mode="json")} for (paper, _), protocol in seen.items()])
        return
    rows = [
        (
            f"{paper}/{key}",
            protocol.measured_as or "-",
            ", ".join(f"{name}={value}" for name, value in protocol.fields.items()) or "-",
            ", ".join(protocol.open) or "-",
            protocol.summary,
        )
        for (paper, key), protocol in seen.items()
    ]
    print_table(("protocol", "measured here as", "known", "open", "summary"), rows)
