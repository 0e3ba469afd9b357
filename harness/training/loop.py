"""The training loop: runs a method's stages, and owns steps, logs, grids, checkpoints, resumption and time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from harness.contracts.method import Stage
from harness.contracts.settings import MethodSettings
from harness.contracts.stream import LawData
from harness.data import Problem, Split, Stream, TrainingData
from harness.errors import CheckpointError, Diverged
from harness.randomness import seed_everything
from harness.training.build import build_method, declared_state
from harness.training.checkpoints import (
    apply_state,
    check_finite,
    checkpoints_in,
    collect_state,
    copy_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from harness.training.clock import Clock
from harness.training.in_step import held_in_step
from harness.training.interrupts import Interrupted, StopRequest, stop_requests
from harness.training.open_run import OpenRun
from harness.training.products import load_product, pieces, save_product
from harness.training.reporting import duration
from harness.training.run_folder import append_line
from harness.training.runtime import Runtime
from harness.training.watching import Watch

if TYPE_CHECKING:
    pass


#: seconds of training beyond which the tiny scale is offered
LONG = 3600


class Training:
    """One run's training, from its first step or its last checkpoint to the end.

    :param run: what is trained; its device is the runtime's.
    :param watch: grids and evaluations on the way, and the plugins' watching hooks.
    """

    def __init__(self, run: OpenRun, runtime: Runtime, watch: Watch) -> None:
        self.experiment = run.experiment
        self.settings = run.experiment.settings
        self.folder = run.folder
        self.runtime = runtime
        self.reporter = run.reporter
        self.watch = watch
        self.problem: Problem = run.dataset.problem()
        self._digest = run.digest
        self._data_checksum = run.dataset.training().checksum
        self._tiny = _tiny_command(run)
        self.method, self.ctx = build_method(run.experiment, self.problem, runtime, run.catalog)
        self.stages = list(self.method.stages())
        training = run.dataset.training()
        self.data: TrainingData | LawData = (
            TrainingData.of(training, runtime.device)
            if isinstance(training, Split)
            else LawData(training, run.experiment.seed, runtime.device)
        )
        self.stage_number = 0
        self.done = 0  # steps in the stage under way
        self.images_seen = 0
        self.reused: dict[str, Any] = {}
        self.best: dict[str, Any] | None = None
        self.finished = False
        self.clock = Clock()
        self._stream_state: dict[str, int] | None = None

    # -- the run -----------------------------------------------------------------------------------

    def run(self, resume: bool) -> None:
        """Train to the end.

        :param resume: go on from the newest checkpoint; otherwise start, saving step 0 first.
        :raises Diverged: a loss term or the state is no longer finite.
        :raises Interrupted: somebody asked to stop; everything is saved.
        """
        if resume:
            self._restore()
        else:
            self._save()
        with stop_requests() as stop:
            try:
                while self.stage_number < len(self.stages):
                    self._run_stage(self.stages[self.stage_number], stop)
            finally:
                self.clock.stop()
                self.reporter.stop()
            if not self.finished:
                self.finished = True
                self._save()
            if self.runtime.any(stop.asked):
                raise Interrupted(
                    f"stopped at the end of training; everything is saved in {self.folder.path}",
                    f"measure it with: harness evaluate {self.folder.path}",
                )

    @property
    def total_done(self) -> int:
        """Steps done in all stages so far."""
        return sum(stage.steps for stage in self.stages[: self.stage_number]) + self.done

    def _run_stage(self, stage: Stage, stop: StopRequest) -> None:
        if stage.source is not None:
            self._reuse(stage)
            return
        self.ctx.stage, self.ctx.step = stage.name, 0
        self._seed(stage, "data")
        data = stage.data(self.data) if stage.data else self.data  # type: ignore[arg-type]
        stream = self._stream(stage, data)
        self._seed(stage, "begin")
        if stage.begin:
            stage.begin()
        self.reporter.start(stage.name, stage.steps, self.done)
        self.clock.start(self.total_done, sum(s.steps for s in self.stages))
        while self.done < stage.steps:
            self._step(stage, stream)
            self._after_step(stage, stream, stop)
        self.reporter.stop()
        self._seed(stage, "finish")
        if stage.finish:
            stage.finish(data)  # type: ignore[arg-type]
        if stage.products:
            self._keep_product(stage)
        self._next_stage()

    def _step(self, stage: Stage, stream: Stream) -> None:
        self._seed(stage, self.done)
        self.ctx.step = self.done
        before = stream.position
        with self.ctx.all_stepping(), self.ctx.autocast():
            stage.step(stream)
        self.images_seen += stream.position - before
        self.done += 1
        self.reporter.step()

    def _after_step(self, stage: Stage, stream: Stream, stop: StopRequest) -> None:
        due = _Due(self.settings, stage, self.done)
        estimate = self.clock.estimate(self.total_done)
        if estimate is not None:
            self._tell_estimate(estimate)
        if due.log:
            self._log(stage)
        with self.clock.paused():
            if due.sample and self.runtime.rank == 0:
                self.watch.sample_grid(self.method, self.total_done)
            better = due.evaluate and self.runtime.any(self._evaluate())
        # the end of a stage is saved once its `finish` is done
        if (due.save or better) and not (due.last and not better):
            self._stream_state = stream.state_dict()
            self._save()
            self._keep_best()
        # several devices ask each other only now and then: an answer makes them wait for one another
        now = self.runtime.world == 1 or due.log or due.save
        if now and self.runtime.any(stop.asked):
            self._stream_state = stream.state_dict()
            saved = self._save()
            raise Interrupted(
                f"stopped after step {self.done} of stage '{stage.name}' and saved {saved}",
                f"go on with: harness run --out {self.folder.path} --resume",
            )

    def _next_stage(self) -> None:
        self.stage_number += 1
        self.done = 0
        self._stream_state = None
        self.finished = self.stage_number == len(self.stages)
        if self.finished:
            self.clock.stop()  # before the last save, so that the record and the last checkpoint say the same
        self._save()

    # -- stages' inputs and products ---------------------------------------------------------------

    def _stream(self, stage: Stage, data: TrainingData | LawData) -> Stream:
        stream = Stream(
            data,
            self.settings.batch_size,
            (self.experiment.seed, stage.name),
            flip=self.settings.flip,
            rank=self.runtime.rank,
            world=self.runtime.world,
        )
        if self._stream_state is not None:
            stream.load_state_dict(self._stream_state)
            self._stream_state = None
        return stream

    def _seed(self, stage: Stage, when: int | str) -> None:
        # alike on every device: draws are made for the whole batch, and each device takes its rows
        seed_everything(self.experiment.seed, stage.name, when, 0)

    def _keep_product(self, stage: Stage) -> None:
        if self.runtime.rank == 0:
            made = pieces(self.method.state(), stage.products)
            save_product(self.folder.products, stage.name, made, self._data_checksum)

    def _reuse(self, stage: Stage) -> None:
        source = Path(stage.source or "")
        wanted = pieces(self.method.state(), stage.products)
        checksum = load_product(source, stage.name, wanted, self._data_checksum)
        self.reused[stage.name] = {"from": str(source), "sha256": checksum}
        self.reporter.note(f"stage '{stage.name}' taken from {source} (sha256 {checksum[:12]})")
        self._next_stage()

    # -- logs --------------------------------------------------------------------------------------

    def _log(self, stage: Stage) -> None:
        self._check_terms(stage.name)
        values = self.ctx.meters.drain()
        self._show(stage, values)
        if self.runtime.rank != 0:
            return
        finite = {name: value if abs(value) < float("inf") else None for name, value in values.items()}
        line = {"step": self.total_done, "stage": stage.name, "stage_step": self.done, **finite}
        append_line(self.folder.log, line | {"seconds": round(self.clock.seconds, 3), "images": self.images_seen})
        self.watch.step_finished(stage.name, self.done, values)

    def _show(self, stage: Stage, values: Mapping[str, float]) -> None:
        """Loss terms and the method's own numbers; what it says of each place is for the log alone."""
        shown = {name: value for name, value in values.items() if "/" not in name or name in self.ctx.meters.terms}
        rate = self.clock.steps_per_second(self.total_done) * self.images_seen / max(self.total_done, 1)
        left = self.clock.seconds_left(self.total_done)
        self.reporter.line(stage.name, self.done, stage.steps, shown, rate, left)

    def _check_terms(self, stage: str) -> None:
        bad = self.ctx.meters.bad_term()
        if self.runtime.any(bad is not None):
            term, step = bad or ("unknown (another process)", self.done - 1)
            raise self._diverged(f"loss term '{term}' became NaN or infinite at step {step + 1} of stage '{stage}'")

    def _diverged(self, what: str, fix: str = "try a lower learning rate or another seed") -> Diverged:
        kept = checkpoints_in(self.folder.checkpoints)
        last = f"the last good checkpoint is {kept[-1]}" if kept else "no checkpoint was written before"
        return Diverged(f"{what}; {last}", fix)

    def _tell_estimate(self, seconds: float) -> None:
        self.reporter.note(f"this will take about {duration(seconds)} on {self.runtime.device} at the rate so far")
        if seconds > LONG and self._tiny is not None:
            self.reporter.note(f"for minutes instead, stop it (Ctrl-C saves) and run: {self._tiny}")

    def _evaluate(self) -> bool:
        """Evaluate on the way; whether this is the best so far by the named rule."""
        if self.runtime.rank != 0:
            return False
        better, self.best = self.watch.evaluate(self.method, self.total_done, self.best)
        return better

    # -- checkpoints -------------------------------------------------------------------------------

    def _save(self) -> Path:
        path = self.folder.checkpoints / f"step-{self.total_done:08d}.pt"
        self._check_terms(self.ctx.stage)
        state = collect_state(declared_state(self.method, self.ctx))
        try:
            check_finite(state)
        except Diverged as error:
            raise self._diverged(error.problem) from error
        self._check_in_step()
        if self.runtime.rank == 0:
            save_checkpoint(self.folder.checkpoints, {**self.facts(), "state": state}, path.name)
        self.runtime.barrier()
        return path

    def _keep_best(self) -> None:
        """Keep the checkpoint just written (or just resumed from) as the best one, if it is."""
        if self.runtime.rank == 0 and self.best is not None and self.best["step"] == self.total_done:
            path = self.folder.checkpoints / f"step-{self.total_done:08d}.pt"
            copy_checkpoint(path, self.folder.checkpoints / "best.pt")

    def _check_in_step(self) -> None:
        """The processes of a run hold the same weights, whatever each has drawn and seen."""
        if self.runtime.world == 1:
            return
        held = held_in_step(declared_state(self.method, self.ctx))
        sums = [value.detach().double().sum().to(self.runtime.device) for value in held]
        own = torch.stack([*sums, torch.zeros((), dtype=torch.float64, device=self.runtime.device)])
        if self.runtime.any(not torch.equal(self.runtime.gather(own[None])[0], own)):
            raise self._diverged(
                "the processes of this run no longer hold the same weights and tensors",
                "the method must average what it steps by itself (ctx.mean)",
            )

    def facts(self) -> dict[str, Any]:
        """What a checkpoint says beside the method's state."""
        return {
            "experiment": self._digest,
            "stage": self.stage_number,
            "step": self.done,
            "total": self.total_done,
            "stream": self._stream_state,
            "meters": self.ctx.meters.state_dict(),
            "seconds": self.clock.seconds,
            "images": self.images_seen,
            "threads": torch.get_num_threads(),
            "world": self.runtime.world,
            "reused": self.reused,
            "best": self.best,
            "finished": self.finished,
        }

    def _restore(self) -> None:
        kept = checkpoints_in(self.folder.checkpoints)
        if not kept:
            raise CheckpointError(f"nothing to resume in {self.folder.path}: it has no checkpoint", "use --overwrite")
        payload = load_checkpoint(kept[-1], torch.device("cpu"))  # each piece of state copies to where it lives
        self._check_same_run(payload, kept[-1])
        apply_state(declared_state(self.method, self.ctx), payload["state"], str(kept[-1]))
        self.stage_number, self.done = payload["stage"], payload["step"]
        self._stream_state = payload["stream"]
        self.ctx.meters.load_state_dict(payload["meters"])
        self.clock.seconds_before = payload["seconds"]
        self.images_seen = payload["images"]
        self.reused, self.best, self.finished = payload["reused"], payload["best"], payload["finished"]
        self._keep_best()  # a kill may have come between the two
        if self.runtime.rank == 0:
            self.folder.cut_logs(self.total_done)
        self.reporter.note(f"resumed from {kept[-1]} (step {self.total_done})")

    def _check_same_run(self, payload: Mapping[str, Any], path: Path) -> None:
        if payload.get("experiment") != self._digest:
            raise CheckpointError(f"checkpoint {path} belongs to another experiment than {self.folder.experiment}")
        if payload["world"] != self.runtime.world:
            raise CheckpointError(
                f"checkpoint {path} was written by {payload['world']} processes, not {self.runtime.world}",
                f"use --devices {payload['world']}",
            )
        if payload["threads"] != torch.get_num_threads():
            self.reporter.note(
                f"note: {torch.get_num_threads()} threads now, {payload['threads']} before: "
                "the result will not be bit-identical to an uninterrupted run"
            )


def _tiny_command(run: OpenRun) -> str | None:
    """What to type for the same at tiny scale; None where this is it, or the recipe has none."""
    experiment, dataset, catalog = run.experiment, run.dataset, run.catalog
    if experiment.scale == "tiny" or "tiny" not in catalog.recipe(experiment.recipe).scales:
        return None
    words = ["harness run --plugin", experiment.method, "--dataset", experiment.dataset, "--recipe", experiment.recipe]
    if dataset.spec.files:
        words += ["--data-root", str(dataset.root)]
    return " ".join([*words, "--scale tiny"])


class _Due:
    """What is due after a step."""

    def __init__(self, settings: MethodSettings, stage: Stage, done: int) -> None:
        def comes_round(every: int) -> bool:
            return every > 0 and done % every == 0

        self.last = done == stage.steps
        self.log = self.last or comes_round(settings.log_every)
        self.save = self.last or comes_round(settings.checkpoint_every)
        self.sample = stage.samples and (self.last or comes_round(settings.sample_every))
        self.evaluate = stage.samples and comes_round(settings.evaluation.every)
