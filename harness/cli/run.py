"""``harness run``: train, evaluate, and leave a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, DataRoot, Without
from harness.cli.printing import print_json

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.experiment import Experiment
    from harness.runs import RunOptions

Plugin = Annotated[str | None, typer.Option("--plugin", help="A plugin's or a method's name.")]
Dataset = Annotated[str | None, typer.Option("--dataset", help="A data set's name (harness ls datasets).")]
RecipeId = Annotated[str | None, typer.Option("--recipe", help="A recipe; the method's own choice without.")]
ScaleName = Annotated[str, typer.Option("--scale", help="paper: as published. tiny: minutes on two CPU cores.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting. May be repeated.")
]
Config = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings; --set overrides it.")]
Fraction = Annotated[float, typer.Option("--fraction", help="Share of the training data, above 0 and at most 1.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Fixes everything random; 0 without.")]
Seeds = Annotated[
    str | None, typer.Option("--seeds", metavar="A..B", help="One run for each seed from A to B, one after the other.")
]
OneFold = Annotated[
    str | None,
    typer.Option("--fold", metavar="I/N", help="Hold out the I-th of N parts of train and test together as test."),
]
Folds = Annotated[
    int | None, typer.Option("--folds", metavar="N", help="One run for each of N folds, one after the other.")
]
Steps = Annotated[int | None, typer.Option("--steps", help="Short for --set steps=N.")]
EvaluateEvery = Annotated[
    int | None, typer.Option("--evaluate-every", metavar="N", help="Short for --set evaluation.every=N.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Devices = Annotated[int, typer.Option("--devices", help="Processes, each with a device of its own.")]
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
    seed: Seed = None,
    seeds: Seeds = None,
    fold: OneFold = None,
    folds: Folds = None,
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
    from harness.cli.check import judged, print_verdicts
    from harness.cli.results import print_record
    from harness.devices import choose_device
    from harness.runs import train_run
    from harness.training.reporting import Reporter

    catalog = open_catalog(given["without"] or ())
    choose_device(given["device"])
    # every run is settled before the first one starts
    planned = [(experiment_from(catalog, one), options_from(one, evaluate)) for one in _one_by_one(given)]
    done = [train_run(catalog, experiment, options, Reporter()) for experiment, options in planned]
    records = [(record, folder) for folder, record in done if record]  # only the first of several processes has any
    if given["as_json"] and records:
        one = given["seeds"] is None and given["folds"] is None
        print_json(records[0][0] if one else [record for record, _ in records])
        return 0
    for record, folder in records:
        print_record(record, folder)
    if evaluate and records:
        print_verdicts(judged(catalog, [record for record, _ in records]))
    return 0


def _refuse_beside_resume(given: dict[str, Any]) -> None:
    """A run that is resumed by its folder alone goes on as it was; nothing that was asked for is passed over."""
    from harness.errors import SettingsError

    unset = {"set_": None, "config": None, "steps": None, "evaluate_every": None, "scale": "paper", "fraction": 1.0}
    asked = [name for name, value in unset.items() if given[name] not in (value, [])]
    asked += [name for name in ("seed", "fold") if given[name]]
    if asked:
        option = asked[0].strip("_").replace("_", "-")
        raise SettingsError(
            f"--{option} cannot change a run that is resumed", "leave it out, or give --plugin and --dataset too"
        )


def options_from(given: dict[str, Any], evaluate: bool) -> RunOptions:
    """How to run, from the options of the same names."""
    from harness.runs import RunOptions

    names = ("data_root", "out", "resume", "overwrite", "device", "devices")
    return RunOptions(evaluate=evaluate, **{name: given[name] for name in names})


def _one_by_one(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options of each run: one, or one for each of ``--folds`` and ``--seeds``.

    Their folders then lie below ``--out``, those of seeds in that of their fold.
    """
    for one in _fold_by_fold(given):
        yield from _seed_by_seed(one)


def _fold_by_fold(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options for each fold, as text and in folders of their own."""
    from harness.data import Fold
    from harness.errors import SettingsError

    number = given["folds"]
    if number is None:
        yield given
        return
    if given["fold"] is not None:
        raise SettingsError("--fold and --folds contradict each other", "give one of them")
    if number < 2:
        raise SettingsError(f"--folds takes a number of at least 2, not {number}", "for example --folds 5")
    for fold in (Fold(part, number) for part in range(1, number + 1)):
        out = None if given["out"] is None else given["out"] / fold.file_name
        yield {**given, "fold": str(fold), "out": out}


def _seed_by_seed(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The options for each seed."""
    from harness.errors import SettingsError

    if given["seeds"] is None:
        return [{**given, "seed": given["seed"] or 0}]
    if given["seed"] is not None:
        raise SettingsError("--seed and --seeds contradict each other", "give one of them")
    first, dots, last = given["seeds"].partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise SettingsError(f"--seeds takes A..B with A at most B, not '{given['seeds']}'", "for example --seeds 0..2")
    out = given["out"]
    numbers = range(int(first), int(last) + 1)
    return [{**given, "seed": n, "out": None if out is None else out / f"s{n}"} for n in numbers]


def experiment_from(catalog: Catalog, given: dict[str, Any]) -> Experiment | None:
    """The experiment that the options name; None where they only name a run to resume.

    :raises UserError: where they contradict themselves or the catalog.
    """
    from harness.data import Fold
    from harness.errors import SettingsError
    from harness.experiment import resolve
    from harness.overrides import merged, parse_overrides, read_toml

    if given["plugin"] is None and given["recipe"] is None and given["dataset"] is None and given["resume"]:
        _refuse_beside_resume(given)
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
        fold=None if given["fold"] is None else Fold.parse(given["fold"]),
    )
