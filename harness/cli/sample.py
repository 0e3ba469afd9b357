"""``harness sample``: images or points from a run, without its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Without
from harness.cli.run import Device


def sample(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    out: Annotated[Path, typer.Option("--out", help="A .png for a picture, a .npz for arrays.")] = Path("samples.png"),
    count: Annotated[int, typer.Option("--count", "-n", help="How many.")] = 80,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the samples; the run's own without.")] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="A,B", help="Classes by number, cycled through.")
    ] = None,
    checkpoint: Annotated[str, typer.Option("--checkpoint", help="last, best, or a step.")] = "last",
    device: Device = "auto",
    without: Without = None,
) -> int:
    """Draw samples from a run."""
    from harness.catalog import open_catalog
    from harness.runs import sample_run

    written = sample_run(
        open_catalog(without or ()),
        run,
        out,
        count=count,
        seed=seed,
        classes=_numbers(classes),
        checkpoint=checkpoint,
        device=device,
    )
    print(f"{written} samples in {out}")
    return 0


def _numbers(text: str | None) -> list[int] | None:
    from harness.errors import SettingsError

    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"--classes takes whole numbers with commas between them, not '{text}'") from None
