"""Start or resume a run: plan, take its folder, and only then write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.data.files import data_root
from harness.errors import Diverged, RunFolderError, SettingsError, suggestion
from harness.evaluation import MetricEntry
from harness.experiment import WATCHING, Experiment
from harness.overrides import flattened
from harness.runs.progress import RunWatch
from harness.runs.score import check_measurable, measure, timed, write_record
from harness.runs.stored_run import StoredRun, run_facts
from harness.training.build import open_dataset
from harness.training.interrupts import Interrupted
from harness.training.loop import Training
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder
from harness.training.runtime import launch


@dataclass(frozen=True)
class RunOptions:
    """How to run, as opposed to what.

    :param data_root: the folder of all data sets; None for the default, or for where a resumed run had its data.
    :param out: the run's folder; None for ``runs/<experiment's name>``.
    :param evaluate: also evaluate at the end.
    """

    data_root: Path | None = None
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"
    devices: int = 1
    evaluate: bool = True

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise SettingsError("--resume and --overwrite contradict each other", "give one of them")


@dataclass(frozen=True)
class _Plan:
    """What is going to happen; until the folder is taken, nothing has.

    :param stored: the run that is resumed; None for a new one.
    :param record: what experiment.json is going to say; None where it stays as it is.
    """

    run: OpenRun
    training: Training
    watch: RunWatch
    stored: StoredRun | None
    record: Mapping[str, Any] | None


def train_run(
    catalog: Catalog, experiment: Experiment | None, options: RunOptions, reporter: Reporter
) -> tuple[RunFolder, dict[str, Any]]:
    """Train, and evaluate if asked.

    :param experiment: None to resume the one in ``options.out``.
    :returns: the run's folder and the content of its results.json.
    :raises UserError: whatever the user can fix; the folder is left as it was.
    """
    plan = _planned(catalog, experiment, options, reporter)
    folder = plan.run.folder
    if plan.training.runtime.rank != 0:
        _train(plan, options)
        return folder, {}
    with folder.locked() if plan.stored is None else plan.stored.taken():
        if plan.stored is None:
            _check_new(catalog, folder, options)  # somebody may have been quicker
            assert plan.record is not None
            folder.create(plan.record)
        elif plan.record is not None:
            folder.write_experiment(plan.record)
        return folder, _train(plan, options)


# -- plan ----------------------------------------------------------------------------------------------


def _planned(catalog: Catalog, asked: Experiment | None, options: RunOptions, reporter: Reporter) -> _Plan:
    """Read, resolve and check everything; networks are built, and nothing is written."""
    folder = _folder(asked, options)
    root, stored, record = data_root(options.data_root), None, None
    if options.resume:
        stored = _resumable(catalog, folder)
        experiment, record = _as_asked(stored, asked)
        root = options.data_root or stored.data_root or root
    elif asked is None:
        raise SettingsError("nothing to run", "give --plugin and --dataset, or --out RUN --resume")
    else:
        experiment = asked
        _check_new(catalog, folder, options)
    runtime = launch(options.device, experiment.settings.precision, options.devices)
    if runtime.rank != 0:
        reporter.mute()
    if experiment.settings.batch_size % runtime.world:
        raise SettingsError(
            f"batch_size={experiment.settings.batch_size} cannot be shared equally by {runtime.world} devices"
        )
    dataset = open_dataset(catalog, experiment, root)
    if stored is not None:
        stored.check_same_data(dataset)
    digest = experiment.digest() if stored is None else stored.digest
    run = OpenRun(catalog, experiment, dataset, folder, runtime.device, reporter, digest)
    watch = RunWatch(run)
    training = Training(run, runtime, watch)
    if stored is None:
        record = _first_record(experiment, training, dataset)
    _check_evaluation(training, run, options)
    return _Plan(run, training, watch, stored, record)


def _first_record(experiment: Experiment, training: Training, dataset: LoadedDataset) -> dict[str, Any]:
    return {**experiment.record(), **run_facts(training.problem, dataset)}


def _check_evaluation(training: Training, run: OpenRun, options: RunOptions) -> None:
    settings = training.settings.evaluation
    if options.evaluate or settings.every:
        planned = check_measurable(run, training.method)
        if settings.best is not None:
            _check_best(settings.best, planned, run.catalog)


def _check_best(name: str, planned: list[str], catalog: Catalog) -> None:
    """The rule for the best checkpoint is a metric (or a protocol id) that is measured and has a better direction."""
    metrics = [identifier.partition("[")[0] for identifier in planned]
    if name not in metrics and name not in planned:
        raise SettingsError(f"evaluation.best={name}, but that is not measured here", suggestion(name, metrics))
    metric = name.partition("[")[0]
    if catalog.metric(metric).names[metric] is None:
        raise SettingsError(f"evaluation.best={name}, but neither direction of it is better")


def _folder(experiment: Experiment | None, options: RunOptions) -> RunFolder:
    if options.out is not None:
        return RunFolder(options.out)
    if experiment is None:
        raise SettingsError("--resume needs to know which run", "give --out RUN, or --plugin and --dataset as before")
    return RunFolder(Path("runs") / experiment.name)


def _check_new(catalog: Catalog, folder: RunFolder, options: RunOptions) -> None:
    folder.check_free()
    if not folder.is_run or options.overwrite:
        return
    if StoredRun.open(catalog, folder).finished:
        raise RunFolderError(
            f"the run in {folder.path} is finished",
            f"score it again with: harness evaluate {folder.path}, or train it anew with --overwrite",
        )
    folder.check_idle()  # a run that is still going on is in use, which is another thing
    raise RunFolderError(
        f"{folder.path} holds an unfinished run", "go on with --resume, or start anew with --overwrite"
    )


def _resumable(catalog: Catalog, folder: RunFolder) -> StoredRun:
    if not folder.is_run:
        raise RunFolderError(f"nothing to resume: no run at {folder.path}", "leave --resume out to start one")
    return StoredRun.open(catalog, folder)


def _as_asked(stored: StoredRun, asked: Experiment | None) -> tuple[Experiment, dict[str, Any] | None]:
    """The experiment to go on with, and what experiment.json is going to say; None where it stays as it is."""
    path = stored.folder.path
    if asked is not None and asked.digest() != stored.experiment.digest():
        raise SettingsError(
            f"the run in {path} has {_difference(stored.experiment, asked)}", "resume it with --out alone"
        )
    if stored.finished:
        raise RunFolderError(
            f"nothing to resume: the run in {path} is finished",
            f"score it again with: harness evaluate {path}, or train it anew with --overwrite",
        )
    stored.folder.check_idle()
    if asked is None:
        return stored.experiment, None
    now = asked.record()
    if now == stored.experiment.record():
        return asked, None
    # the same training; how it is watched (logs, checkpoints, evaluations) may be asked for anew, and is recorded. The
    # rest as it was written: what it says is what checkpoints know
    watching = {key: now["settings"][key] for key in WATCHING}
    return asked, {**stored.written, **now, "settings": {**stored.written["settings"], **watching}}


def _difference(recorded: Experiment, asked: Experiment) -> str:
    was, now = flattened(recorded.record()), flattened(asked.record())
    ignored = ("overrides", "changed", *(f"settings.{key}" for key in WATCHING))
    for key in sorted(set(was) | set(now)):
        if was.get(key) != now.get(key) and not key.startswith(ignored):
            return f"{key.removeprefix('settings.')}={was.get(key)}, not {now.get(key)}"
    return "other settings"


# -- write ---------------------------------------------------------------------------------------------


def _train(plan: _Plan, options: RunOptions) -> dict[str, Any]:
    run, training = plan.run, plan.training
    training.runtime.barrier()
    experiment = run.experiment
    fold = "" if experiment.fold is None else f", fold {experiment.fold}"
    data = f"{experiment.dataset}{fold}"
    run.reporter.note(f"{experiment.recipe_id} on {data}, seed {experiment.seed}, in {run.folder.path}")
    first = training.runtime.rank == 0
    if first:
        plan.watch.started()
    try:
        training.run(options.resume)
    except (Interrupted, Diverged) as stop:
        if first:
            state = "interrupted" if isinstance(stop, Interrupted) else "diverged"
            write_record(run, training, [], state, evaluation_seconds=0.0)
        raise
    if not first:
        return {}
    entries: list[MetricEntry] = []
    seconds = 0.0
    if options.evaluate:
        entries, seconds = timed(run.reporter, lambda: measure(run, training.method, "last"))
    record = write_record(run, training, entries, "finished", evaluation_seconds=seconds)
    plan.watch.finished(record)
    return record
