"""``harness doctor``: whether metrics measure what they say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json, print_table

app = typer.Typer(help="Check that metrics measure what they say.", no_args_is_help=True)


@app.callback()
def doctor() -> None:
    """Check that metrics measure what they say."""


@app.command()
def metrics(
    names: Annotated[
        str | None, typer.Option("--metrics", metavar="A,B", help="Metrics by name; all that are registered without.")
    ] = None,
    extractor: Annotated[
        str | None, typer.Option("--extractor", metavar="A,B", help="Feature networks; those of the digits without.")
    ] = None,
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Put metrics through known disturbances.

    Real digits are disturbed in known ways; each metric must move as it says. Exit code 1 where one does not.
    """
    from harness.catalog import open_catalog
    from harness.cli.evaluate import listed_names
    from harness.doctor.examination import examine

    asked = None if names is None else listed_names(names, "metrics")
    networks = None if extractor is None else tuple(listed_names(extractor, "extractors"))
    findings, unexamined = examine(open_catalog(without or ()), asked, networks)
    wrong = [finding for finding in findings if not finding.right]
    if as_json:
        print_json({"findings": [_entry(finding) for finding in findings], "unexamined": unexamined})
        return 1 if wrong else 0
    print_table(("disturbance", "baseline", "disturbed", "must go", "", "protocol"), [_row(f) for f in findings])
    for skipped in unexamined:
        print(f"not examined: {skipped.metric}: {skipped.reason}")
    left = f"; not examined: {len(unexamined)}" if unexamined else ""
    print(f"{len(findings) - len(wrong)} of {len(findings)} moved as they must{left}")
    return 1 if wrong else 0


def _row(finding: Any) -> tuple[str, ...]:
    verdict = "ok" if finding.right else f"WRONG: {finding.moved}"
    numbers = (f"{finding.baseline:.4g}", f"{finding.disturbed:.4g}")
    return (finding.disturbance, *numbers, finding.must, verdict, finding.protocol_id)


def _entry(finding: Any) -> dict[str, Any]:
    fields = ("metric", "protocol_id", "disturbance", "baseline", "disturbed", "must", "moved", "right")
    return {name: getattr(finding, name) for name in fields}
