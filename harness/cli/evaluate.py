"""``harness evaluate``: score a run again, or images that lie in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json
from harness.cli.run import Device

if TYPE_CHECKING:
    from harness.catalog import Catalog


def evaluate(
    run: Annotated[Path | None, typer.Argument(help="The run's folder; none to score images in files.")] = None,
    generated: Annotated[
        str | None,
        typer.Option("--generated", metavar="DIR|NPZ", help="Images to score: a folder, an archive, or an npz."),
    ] = None,
    real: Annotated[
        str | None,
        typer.Option("--real", metavar="DATASET|DIR|NPZ", help="Real images, or an npz of their statistics."),
    ] = None,
    extractor: Annotated[
        str | None,
        typer.Option("--extractor", metavar="A,B", help="Feature networks; the data set's own without."),
    ] = None,
    checkpoint: Annotated[str, typer.Option("--checkpoint", help="last, best, or a step.")] = "last",
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="A,B", help="Metrics by name; the usual ones without."),
    ] = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Generated samples.")] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Real split; train+test is one made of two, both a number for each.")
    ] = None,
    generated_split: Annotated[
        str | None, typer.Option("--generated-split", help="Split of the generated images, where they have some.")
    ] = None,
    fit: Annotated[
        str, typer.Option("--fit", help="Make real images as large as the generated: pad, resize, crop:SIZE.")
    ] = "none",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override an evaluation setting.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --generated: a folder for evaluation.json and figures.")
    ] = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Score a run again, or images in files."""
    from harness.catalog import open_catalog

    given = dict(locals())
    overrides = _overrides(set_ or [], metrics=metrics, samples=samples, extractors=extractor, split=split)
    _check_one_subject(given)
    catalog = open_catalog(without or ())
    if run is None:
        return _images(catalog, given, overrides)
    return _run(catalog, run, given, overrides)


def _run(catalog: Catalog, run: Path, given: dict[str, Any], overrides: dict[str, Any]) -> int:
    from harness.cli.check import judged, print_verdicts
    from harness.cli.results import print_record
    from harness.runs import evaluate_run
    from harness.training.reporting import Reporter
    from harness.training.run_folder import RunFolder

    record = evaluate_run(
        catalog,
        run,
        reporter=Reporter(),
        checkpoint=given["checkpoint"],
        overrides=overrides,
        data_root=given["data_root"],
        device=given["device"],
    )
    if given["as_json"]:
        print_json(record)
        return 0
    print_record(record, RunFolder(run))
    print_verdicts(judged(catalog, [record]))
    return 0


def _images(catalog: Catalog, given: dict[str, Any], overrides: dict[str, Any]) -> int:
    from harness.cli.results import print_metrics
    from harness.runs import evaluate_images

    record = evaluate_images(
        catalog,
        given["generated"],
        given["real"],
        overrides=overrides,
        generated_split=given["generated_split"],
        fit=given["fit"],
        root=given["data_root"],
        device=given["device"],
        out=given["out"],
    )
    if given["as_json"]:
        print_json(record)
        return 0
    print_metrics(record["metrics"])
    for role in (record["generated"], *record["real"]):
        shape = "x".join(map(str, role["shape"]))
        print(f"{role['source']} {role['split']}: {role['items']:,} images {shape}, sha256 {role['checksum'][:12]}")
        if role["notes"].get("lossy"):
            print(f"{role['source']} is stored in a lossy format: no number of it compares with a paper's")
    if record["statistics"] is not None:
        _print_statistics(record["statistics"])
    if given["out"] is not None:
        print(f"record   {given['out'] / 'evaluation.json'}")
    return 0


def _print_statistics(file: dict[str, Any]) -> None:
    """What stood for the real images, and how far it says what it is."""
    about = file["about"]
    said = (
        f"{about['extractor']} of {about.get('dataset')}"
        if "extractor" in about
        else ("it does not say which network and images it was made from: nothing of that could be checked")
    )
    print(f"statistics {file['path']}, sha256 {file['sha256'][:12]}: {said}")


#: options that belong to one of the two uses of the command
_OF_A_RUN = {"checkpoint": "last"}
_OF_IMAGES = {"generated": None, "real": None, "generated_split": None, "fit": "none", "out": None}


def _check_one_subject(given: dict[str, Any]) -> None:
    """A run, or images in files; an option of the other is never passed over."""
    from harness.errors import SettingsError

    if given["run"] is None and not given["generated"]:
        raise SettingsError("nothing to evaluate", "give a run's folder, or --generated and --real")
    of_the_other, what = (_OF_A_RUN, "images") if given["run"] is None else (_OF_IMAGES, "a run")
    for name, unset in of_the_other.items():
        if given[name] != unset:
            raise SettingsError(f"--{name.replace('_', '-')} does not apply to {what}", "leave it out")


def listed_names(text: str, what: str) -> list[str]:
    """Names with commas between them.

    :raises SettingsError: where one is empty.
    """
    from harness.errors import SettingsError

    names = [part.strip() for part in text.split(",")]
    if not all(names):
        raise SettingsError(f"a name is missing in the list of {what} '{text}'", "separate names by single commas")
    return names


def _overrides(pairs: list[str], **named: Any) -> dict[str, Any]:
    """Evaluation settings from ``--set`` and from the options that stand for some of them."""
    from harness.errors import SettingsError
    from harness.overrides import merged, parse_overrides

    overrides = parse_overrides(pairs)
    inner = overrides.pop("evaluation", {})
    if overrides or not isinstance(inner, dict):
        raise SettingsError(
            f"harness evaluate cannot change '{next(iter(overrides), 'evaluation')}'",
            "only settings of the group evaluation.*",
        )
    for name in ("metrics", "extractors"):
        if named[name] is not None:
            named[name] = listed_names(named[name], name)
    return merged(inner, {name: value for name, value in named.items() if value is not None})
