"""``harness verify``: a run's record rebuilt from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.catalog import open_catalog
from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json

if TYPE_CHECKING:
    from harness.results.agreement import Agreement

FAILED = 1


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run's folder.")],
    data_root: DataRoot = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: AsJson = False,
    without: Without = None,
) -> int:
    """Rebuild a run's record from its checkpoint.

    Every number is measured again; a run whose record holds gets a verified.json.
    """
    from harness.leaderboard.artefacts import VERIFIED
    from harness.runs.verify import verify_run
    from harness.training.reporting import Reporter

    catalog = open_catalog(without or ())
    result = verify_run(catalog, run, reporter=Reporter(), data_root=data_root, device=device)
    if as_json:
        print_json({"verified": not result.problems, **vars(result)})
    else:
        for problem in result.problems:
            print(problem)
        verdict = "not verified" if result.problems else "verified"
        print(f"{verdict}: {result.compared} numbers measured again, {_farthest(result)}")
        if not result.problems:
            print(f"badge    {run / VERIFIED}")
    return FAILED if result.problems else 0


def _farthest(result: Agreement) -> str:
    if not result.largest_of:
        return "all equal to the last digit" if result.compared else "none"
    return f"the farthest at {result.largest:.2g} of the allowed difference: {result.largest_of}"
