"""Start or resume a run: lock its folder, train, evaluate, write the record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.config import flattened
from harness.data import LoadedDataset
from harness.data.files import data_root
from harness.errors import Diverged, RunFolderError, SettingsError, suggestion
from harness.evaluation import MetricEntry, check_evaluation
from harness.experiment import WATCHING, Experiment, from_record
from harness.runs.restoring import check_same_data, run_facts
from harness.runs.scoring import measure, timed, write_record
from harness.runs.watching import RunWatch
from harness.training.build import open_dataset
from harness.training.devices import launch
from harness.training.interrupts import Interrupted
from harness.training.loop import Training
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder, write_atomically


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


def train_run(
    catalog: Catalog, experiment: Experiment | None, options: RunOptions, reporter: Reporter
) -> tuple[RunFolder, dict[str, Any]]:
    """Train, and evaluate if asked.

    :param experiment: None to resume the one in ``options.out``.
    :returns: the run's folder and the content of its results.json.
    :raises UserError: whatever the user can fix; the folder is left as it was.
    """
    folder = _folder(experiment, options)
    root = data_root(options.data_root)
    if options.resume:
        experiment = _resumed(catalog, experiment, folder)
        root = options.data_root or Path(folder.read_experiment().get("data_root", root))
    elif experiment is None:
        raise SettingsError("nothing to run", "give --plugin and --dataset, or --out RUN --resume")
    else:
        _check_new(folder, options)
    runtime = launch(options.device, experiment.settings.precision, options.devices)
    if runtime.rank != 0:
        reporter.mute()
    if experiment.settings.batch_size % runtime.world:
        raise SettingsError(
            f"batch_size={experiment.settings.batch_size} cannot be shared equally by {runtime.world} devices"
        )
    dataset = open_dataset(catalog, experiment, root)
    if options.resume:
        check_same_data(folder, dataset)
    watch = RunWatch(catalog, folder, dataset, experiment, runtime.device, reporter)
    # built and checked before the folder is touched: whatever is wrong shows now, and an old run is still whole
    training = Training(experiment, dataset, folder, catalog, runtime, reporter, watch)
    _check_evaluation(training, dataset, catalog, options)
    if runtime.rank != 0:
        _train(training, dataset, catalog, options, watch)
        return folder, {}
    with folder.locked():
        if not options.resume:
            _check_new(folder, options)  # somebody may have been quicker
            folder.create({**experiment.record(), **run_facts(training.problem, dataset)})
        return folder, _train(training, dataset, catalog, options, watch)


def _check_evaluation(training: Training, dataset: LoadedDataset, catalog: Catalog, options: RunOptions) -> None:
    settings = training.settings.evaluation
    if options.evaluate or settings.every:
        trained = training.method.trained()
        device = training.runtime.device
        planned = check_evaluation(trained, dataset=dataset, settings=settings, catalog=catalog, device=device)
        if settings.best is not None:
            _check_best(settings.best, planned, catalog)


def _check_best(name: str, planned: list[str], catalog: Catalog) -> None:
    """The rule for the best checkpoint is a metric (or a protocol id) that is measured and has a better direction."""
    metrics = [identifier.partition("[")[0] for identifier in planned]
    if name not in metrics and name not in planned:
        raise SettingsError(f"evaluation.best={name}, but that is not measured here", suggestion(name, metrics))
    metric = name.partition("[")[0]
    if catalog.metric(metric).names[metric] is None:
        raise SettingsError(f"evaluation.best={name}, but neither direction of it is better")


def _train(
    training: Training, dataset: LoadedDataset, catalog: Catalog, options: RunOptions, watch: RunWatch
) -> dict[str, Any]:
    experiment, folder, runtime, reporter = training.experiment, training.folder, training.runtime, training.reporter
    runtime.barrier()
    reporter.note(f"{experiment.recipe_id} on {experiment.dataset}, seed {experiment.seed}, in {folder.path}")
    if runtime.rank == 0:
        watch.started()
    try:
        training.run(options.resume)
    except (Interrupted, Diverged) as stop:
        if runtime.rank == 0:
            state = "interrupted" if isinstance(stop, Interrupted) else "diverged"
            write_record(training, dataset, folder, [], state, evaluation_seconds=0.0)
        raise
    if runtime.rank != 0:
        return {}
    entries: list[MetricEntry] = []
    seconds = 0.0
    if options.evaluate:
        entries, seconds = timed(
            reporter,
            lambda: measure(training.method, experiment, dataset, catalog, runtime.device, "last", folder, reporter),
        )
    record = write_record(training, dataset, folder, entries, "finished", evaluation_seconds=seconds)
    watch.finished(record)
    return record


def _folder(experiment: Experiment | None, options: RunOptions) -> RunFolder:
    if options.out is not None:
        return RunFolder(options.out)
    if experiment is None:
        raise SettingsError("--resume needs to know which run", "give --out RUN, or --plugin and --dataset as before")
    return RunFolder(Path("runs") / experiment.name)


def _check_new(folder: RunFolder, options: RunOptions) -> None:
    folder.check_free()
    if not folder.is_run or options.overwrite:
        return
    if finished(folder):
        raise RunFolderError(
            f"the run in {folder.path} is finished",
            f"score it again with: harness evaluate {folder.path}, or train it anew with --overwrite",
        )
    with folder.locked():
        pass  # a run that is still going on is in use, which is another thing
    raise RunFolderError(
        f"{folder.path} holds an unfinished run", "go on with --resume, or start anew with --overwrite"
    )


def _resumed(catalog: Catalog, asked: Experiment | None, folder: RunFolder) -> Experiment:
    if not folder.is_run:
        raise RunFolderError(f"nothing to resume: no run at {folder.path}", "leave --resume out to start one")
    written = folder.read_experiment()
    recorded = from_record(catalog, written, str(folder.experiment))
    if asked is not None and asked.digest() != recorded.digest():
        raise SettingsError(
            f"the run in {folder.path} has {_difference(recorded, asked)}", "resume it with --out alone"
        )
    if finished(folder):
        raise RunFolderError(
            f"nothing to resume: the run in {folder.path} is finished",
            f"score it again with: harness evaluate {folder.path}, or train it anew with --overwrite",
        )
    if asked is None:
        return recorded
    # the same training; how it is watched (logs, checkpoints, evaluations) may be asked for anew, and is recorded
    if asked.record() != recorded.record():
        now = asked.record()
        watching = {key: now["settings"][key] for key in WATCHING}
        # the rest as it was written: what it says is what checkpoints know
        record = {**written, **now, "settings": {**written["settings"], **watching}}
        write_atomically(folder.experiment, json.dumps(record, indent=2, allow_nan=False) + "\n")
    return asked


def finished(folder: RunFolder) -> bool:
    """Whether the run in a folder came to its end."""
    from harness.results.record import read_record

    return folder.results.is_file() and read_record(folder.results)["exit_state"] == "finished"


def _difference(recorded: Experiment, asked: Experiment) -> str:
    was, now = flattened(recorded.record()), flattened(asked.record())
    ignored = ("overrides", "changed", *(f"settings.{key}" for key in WATCHING))
    for key in sorted(set(was) | set(now)):
        if was.get(key) != now.get(key) and not key.startswith(ignored):
            return f"{key.removeprefix('settings.')}={was.get(key)}, not {now.get(key)}"
    return "other settings"
