"""``harness evaluate``: score a finished or stopped run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json
from harness.cli.run import Device


def evaluate(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    checkpoint: Annotated[str, typer.Option("--checkpoint", help="last, best, or a step.")] = "last",
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="A,B", help="Metrics by name; all that apply without.")
    ] = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Generated samples.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override an evaluation setting.")
    ] = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Score a run again, and write its record."""
    from harness.catalog import open_catalog
    from harness.cli.results import print_record
    from harness.runs import evaluate_run
    from harness.training.reporting import Reporter
    from harness.training.run_folder import RunFolder

    record = evaluate_run(
        open_catalog(without or ()),
        run,
        reporter=Reporter(),
        checkpoint=checkpoint,
        overrides=_overrides(metrics, samples, set_ or []),
        data_root=data_root,
        device=device,
    )
    if as_json:
        print_json(record)
    else:
        print_record(record, RunFolder(run))
    return 0


def _overrides(metrics: str | None, samples: int | None, pairs: list[str]) -> dict[str, Any]:
    from harness.config import merged, parse_overrides
    from harness.errors import SettingsError

    overrides = parse_overrides(pairs)
    inner = overrides.pop("evaluation", {})
    if overrides or not isinstance(inner, dict):
        raise SettingsError(
            f"harness evaluate cannot change '{next(iter(overrides), 'evaluation')}'",
            "only settings of the group evaluation.*",
        )
    if metrics is not None:
        inner = merged(inner, {"metrics": [name.strip() for name in metrics.split(",")]})
    if samples is not None:
        inner = merged(inner, {"samples": samples})
    return dict(inner)
