"""``harness check``: runs held against the numbers that papers print for their recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.catalog import Catalog, open_catalog
from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json, print_table
from harness.cli.references import opened
from harness.errors import UnknownName

if TYPE_CHECKING:
    from harness.results.comparing import Verdict
    from harness.results.replicates import Replicates

#: exit code where a verdict is one that was to fail
FAILED = 1


def check(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or their results.json.")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="VERDICT", help="Exit with code 1 on this verdict, e.g. worse. Repeatable."),
    ] = None,
    as_json: AsJson = False,
    without: Without = None,
) -> int:
    """Hold runs against the numbers that papers print.

    Runs that differ in seed or fold alone are taken together.
    """
    failing = [_outcome(name) for name in fail_on or ()]
    catalog = open_catalog(without or ())
    verdicts = judged(catalog, [read_run(catalog, path) for path in runs])
    if as_json:
        print_json([verdict_record(group, verdict) for group, found in verdicts for verdict in found])
    else:
        print_verdicts(verdicts)
    return FAILED if any(v.outcome.value in failing for _, found in verdicts for v in found) else 0


def read_run(catalog: Catalog, path: Path) -> dict[str, Any]:
    """The record of a run's folder, or of a file, up to date."""
    from harness.results.record import read_record
    from harness.results.up_to_date import up_to_date

    return up_to_date(catalog, read_record(path / "results.json" if path.is_dir() else path))


def judged(catalog: Catalog, records: Sequence[Mapping[str, Any]]) -> list[tuple[Replicates, list[Verdict]]]:
    """Verdicts of each experiment among the records; broken references of a plugin are a warning."""
    from harness.results.comparing import verdicts_of
    from harness.results.replicates import replicates

    references = opened(catalog)
    return [(group, verdicts_of(group, references, catalog)) for group in replicates(records)]


def print_verdicts(verdicts: Sequence[tuple[Replicates, list[Verdict]]]) -> None:
    """A line for each printed number."""
    from harness.results.comparing import counted

    for group, found in verdicts:
        seeds = ", ".join(map(str, group.replicates))
        place = f"{group.first['recipe']} on {group.first['dataset']}, {group.first['scale']} scale, seed {seeds}"
        if not found:
            print(f"{place}: no paper here prints a number for it")
            continue
        print(f"{place}:")
        rows = [
            (
                verdict.outcome.value,
                verdict.reference.id,
                verdict.reference.metric,
                verdict.reference.shown,
                _ours(verdict),
                verdict.why,
            )
            for verdict in found
        ]
        print_table(("verdict", "reference", "metric", "printed", "ours", "why"), rows)
        print(", ".join(f"{number} {outcome.value}" for outcome, number in counted(found).items()))


def verdict_record(group: Replicates, verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    return {
        "recipe": group.first["recipe"],
        "dataset": group.first["dataset"],
        "fraction": group.first["coordinates"]["fraction"],
        "scale": group.first["scale"],
        "seeds": [one.seed for one in verdict.replicates or group.replicates],
        "folds": [one.fold for one in verdict.replicates or group.replicates],
        "reference": verdict.reference.id,
        "row": verdict.reference.row,
        "metric": verdict.reference.metric,
        "printed": verdict.reference.value,
        "printed_std": verdict.reference.std,
        "ours": verdict.ours,
        "error": verdict.error,
        "error_of": verdict.error_of,
        "protocol_id": verdict.protocol_id,
        "verdict": verdict.outcome.value,
        "why": verdict.why,
        "differences": [difference._asdict() for difference in verdict.differences],
    }


def _outcome(name: str) -> str:
    """A verdict as the command line spells it: "worse", "not-comparable"."""
    from harness.results.verdicts import Outcome

    known = {outcome.value.lower().replace(" ", "-"): outcome.value for outcome in Outcome}
    spelt = name.strip().lower().replace(" ", "-").replace("_", "-")
    if spelt not in known:
        raise UnknownName("verdict", name, known)
    return known[spelt]


def _ours(verdict: Verdict) -> str:
    if verdict.ours is None:
        return "-"
    error = "" if verdict.error is None else f" ± {verdict.error:.2g} ({verdict.error_of})"
    return f"{verdict.ours:.4g}{error}"
