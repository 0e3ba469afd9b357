"""``harness stats``: Gaussian statistics of real images, as files to keep, to pass on, and to check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json
from harness.cli.run import Device

app = typer.Typer(help="Export, import and verify statistics of real images.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="An npz of statistics.")]
Real = Annotated[str, typer.Option("--real", metavar="DATASET|DIR|NPZ", help="Real images.")]
Split = Annotated[str, typer.Option("--split", help="Their split.")]
ExtractorName = Annotated[str, typer.Option("--extractor", help="A feature network (harness ls extractors).")]

#: statistics computed twice differ by rounding; a difference above this share of the whole variance is another thing
SAME = 1e-4


@app.command()
def export(
    real: Real,
    extractor: ExtractorName,
    out: Annotated[Path, typer.Option("--out", help="The npz to write.")],
    split: Split = "train",
    data_root: DataRoot = None,
    device: Device = "auto",
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Write the statistics of real images to an npz.

    pytorch-fid and others read it too.
    """
    from harness.catalog import open_catalog
    from harness.runs.files.split_statistics import RealStatistics, check_target, export_statistics

    check_target(out)
    statistics = RealStatistics(open_catalog(without or ()), real, extractor, split, data_root, device)
    measured = statistics.measure()
    export_statistics(measured, out)
    if as_json:
        print_json({"path": str(out), **measured.about})
    else:
        print(f"statistics of {measured.about['real_count']:,} images of {real} on {extractor} in {out}")
    return 0


@app.command(name="import")
def import_(
    file: File,
    real: Real,
    split: Split = "train",
    data_root: DataRoot = None,
    device: Device = "auto",
    without: Without = None,
) -> int:
    """Keep a file's statistics for later evaluations.

    Only if it says that it was made from this very data by this very network; what uses it names the file's checksum.
    """
    from harness.catalog import open_catalog
    from harness.runs.files.split_statistics import RealStatistics, read_statistics

    found = read_statistics(file)
    extractor = str(found.about.get("extractor", "pixels"))
    RealStatistics(open_catalog(without or ()), real, extractor, split, data_root, device).take_over(found)
    print(f"kept: statistics of {real} ({split}) on {extractor}")
    return 0


@app.command()
def verify(
    file: File,
    real: Annotated[
        str | None, typer.Option("--real", metavar="DATASET|DIR|NPZ", help="Real images to hold it against.")
    ] = None,
    split: Split = "train",
    data_root: DataRoot = None,
    device: Device = "auto",
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Check a file of statistics.

    With --real they are computed anew and compared; exit code 1 where they differ.
    """
    from harness.catalog import open_catalog
    from harness.runs.files.split_statistics import RealStatistics, check_same, read_statistics

    found = read_statistics(file)
    facts = {"path": str(file), "sha256": found.sha256, "features": len(found.gaussian.mean), **found.about}
    if real is not None:
        extractor = str(found.about.get("extractor", "pixels"))
        statistics = RealStatistics(open_catalog(without or ()), real, extractor, split, data_root, device)
        check_same(found, statistics.about())
        facts["distance"] = distance = statistics.distance_to(found)
        facts["same"] = distance <= SAME * max(found.gaussian.trace, 1e-12)
    if as_json:
        print_json(facts)
    else:
        for name, value in facts.items():
            print(f"{name}: {value}")
        if not found.about:
            print("it does not say what it was made from; shapes, symmetry and finite values are all that was checked")
    return 0 if facts.get("same", True) else 1
