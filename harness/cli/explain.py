"""``harness explain``: where a run and a printed number differ, and what each difference is known to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.catalog import open_catalog
from harness.cli.check import read_run, verdict_record
from harness.cli.options import AsJson, Without
from harness.cli.printing import print_json, print_table
from harness.cli.references import opened
from harness.errors import SettingsError, UnknownName

if TYPE_CHECKING:
    from harness.results.comparing import Verdict
    from harness.results.references import Reference
    from harness.results.replicates import Replicates


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its results.json.")],
    reference: Annotated[
        str,
        typer.Argument(metavar="REFERENCE", help="A printed number, as harness references names it."),
    ],
    as_json: AsJson = False,
    without: Without = None,
) -> None:
    """Say how a run and a printed number differ.

    Every difference in protocol, subject and settings, with what it is known to do.
    """
    from harness.results.comparing import closest, references_of, verdict
    from harness.results.replicates import replicates

    catalog = open_catalog(without or ())
    group = replicates([read_run(catalog, run)])[0]
    printed = {each.id: each for each in opened(catalog)}
    if reference not in printed:
        own = references_of(group, printed.values())
        raise UnknownName("reference", reference, printed, None if own else "see harness references")
    target = printed[reference]
    found = verdict(group, target, catalog)
    lines = field_lines(group, target)
    if as_json:
        record = verdict_record(group, found)
        print_json({**record, "fields": lines, "printed_protocol": target.protocol.model_dump(mode="json")})
        return
    if closest(group, target) is None and not lines:
        raise SettingsError(f"nothing to explain: {found.why}")
    _print(group, found, lines)


def field_lines(group: Replicates, reference: Reference) -> list[dict[str, Any]]:
    """Each field of either side: what it is here and there, whether that is the same, and what a difference does."""
    from harness.results.comparing import (
        closest,
        number_differences,
        place_differences,
        recorded_fields,
        run_differences,
        stated_fields,
    )
    from harness.results.effects import effect_of

    measured = closest(group, reference)
    ours = {} if measured is None else recorded_fields(measured)
    theirs = stated_fields(reference)
    differing = set() if measured is None else {d.field for d in number_differences(measured, reference)}
    lines: list[dict[str, Any]] = [
        {"field": d.field, "here": d.ours, "there": d.theirs, "state": "differs"}
        for d in (*place_differences(group, reference), *run_differences(group))
    ]
    # "metric" only repeats the name
    for field in (name for name in dict.fromkeys([*theirs, *ours]) if name != "metric"):
        if field in differing:
            state = "differs"
        elif field not in theirs:
            state = "not stated"
        else:
            state = "not measured" if measured is None else "same"
        lines.append({"field": field, "here": ours.get(field), "there": theirs.get(field), "state": state})
    for line in lines:
        known = line["state"] in ("differs", "not stated")
        effect = effect_of(line["field"]) if known else None
        line["effect"] = None if effect is None else effect.effect
        line["source"] = None if effect is None else effect.source
    return lines


def _print(group: Replicates, found: Verdict, lines: list[dict[str, Any]]) -> None:
    reference = found.reference
    print(f"{reference.id}: {reference.table}, {reference.row}: {reference.metric} {reference.shown}")
    print(f"  {reference.protocol.summary}")
    ours = "no such number" if found.ours is None else f"{found.ours:.4g}, {found.protocol_id}"
    print(f"{group.first['recipe']} on {group.first['dataset']}: {ours}")
    print(f"{found.outcome.value}: {found.why}")
    headings = {"differs": "differs", "not measured": "not measured here", "not stated": "not stated by the paper"}
    for state, heading in headings.items():
        chosen = [line for line in lines if line["state"] == state]
        if chosen:
            print()
            rows = [(line["field"], _text(line["here"]), _text(line["there"]), _effect(line)) for line in chosen]
            print_table((heading, "here", "there", "known effect"), rows)
    agreed = [line["field"] for line in lines if line["state"] == "same"]
    print(f"\nthe same: {', '.join(agreed) or 'nothing that is stated'}")


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


def _effect(line: dict[str, Any]) -> str:
    return f"{line['effect']} ({line['source']})" if line["effect"] else "-"
