"""``harness run``: train, evaluate, and leave a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, Without

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.experiment import Experiment

Plugin = Annotated[str | None, typer.Option("--plugin", help="A plugin's or a method's name.")]
Dataset = Annotated[str | None, typer.Option("--dataset", help="A data set's name (harness ls datasets).")]
RecipeId = Annotated[str | None, typer.Option("--recipe", help="A recipe; the method's own choice without.")]
ScaleName = Annotated[str, typer.Option("--scale", help="paper: as published. tiny: minutes on two CPU cores.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting. May be repeated.")
]
Config = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings; --set overrides it.")]
Fraction = Annotated[float, typer.Option("--fraction", help="Share of the training data, above 0 and at most 1.")]
Seed = Annotated[int, typer.Option("--seed", help="Fixes everything random.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Short for --set steps=N.")]
EvaluateEvery = Annotated[
    int | None, typer.Option("--evaluate-every", metavar="N", help="Short for --set evaluation.every=N.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Devices = Annotated[int, typer.Option("--devices", help="Processes, each with a device of its own.")]
DataRoot = Annotated[Path | None, typer.Option("--data-root", help="The folder of all data sets.")]
Out = Annotated[Path | None, typer.Option("--out", help="The run's folder; below runs/ without.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Train anew, over the run that is there.")]


def run(
    plugin: Plugin = None,
    dataset: Dataset = None,
    recipe: RecipeId = None,
    scale: ScaleName = "paper",
    set_: Set = None,
    config: Config = None,
    fraction: Fraction = 1.0,
    seed: Seed = 0,
    steps: Steps = None,
    evaluate_every: EvaluateEvery = None,
    device: Device = "auto",
    devices: Devices = 1,
    data_root: DataRoot = None,
    out: Out = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    without: Without = None,
    as_json: AsJson = False,
) -> int:
    """Train a method, evaluate it, and write the run's record."""
    return start(evaluate=True, **locals())


def start(evaluate: bool, **given: Any) -> int:
    """Run or train as the options say, and print what came of it."""
    from harness.catalog import open_catalog
    from harness.cli.results import print_record
    from harness.runs import RunOptions, train_run
    from harness.training.devices import choose_device
    from harness.training.reporting import Reporter

    catalog = open_catalog(given["without"] or ())
    experiment = experiment_from(catalog, given)
    choose_device(given["device"])
    options = RunOptions(
        data_root=given["data_root"],
        out=given["out"],
        resume=given["resume"],
        overwrite=given["overwrite"],
        device=given["device"],
        devices=given["devices"],
        evaluate=evaluate,
    )
    folder, record = train_run(catalog, experiment, options, Reporter())
    if record:  # only the first of several processes has one
        print_record(record, folder, given["as_json"])
    return 0


def experiment_from(catalog: Catalog, given: dict[str, Any]) -> Experiment | None:
    """The experiment that the options name; None where they only name a run to resume.

    :raises UserError: where they contradict themselves or the catalog.
    """
    from harness.config import merged, parse_overrides, read_toml
    from harness.errors import SettingsError
    from harness.experiment import resolve

    if given["plugin"] is None and given["recipe"] is None and given["dataset"] is None and given["resume"]:
        return None
    if given["dataset"] is None:
        raise SettingsError("no data set is given", "add --dataset NAME (harness ls datasets)")
    overrides = parse_overrides(given["set_"] or [])
    if given["steps"] is not None:
        overrides = merged(overrides, {"steps": given["steps"]})
    if given["evaluate_every"] is not None:
        overrides = merged(overrides, {"evaluation": {"every": given["evaluate_every"]}})
    return resolve(
        catalog,
        plugin=given["plugin"],
        dataset=given["dataset"],
        recipe=given["recipe"],
        scale=given["scale"],
        config=read_toml(given["config"]) if given["config"] else None,
        overrides=overrides,
        seed=given["seed"],
        fraction=given["fraction"],
    )
