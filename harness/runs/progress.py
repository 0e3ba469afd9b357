"""Grids, evaluations and plugin hooks while a run trains; none of it changes what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contracts.capabilities import Sampler, Trained
from harness.contracts.method import Method
from harness.errors import EvaluationError
from harness.runs.pictures.grid import draw_samples
from harness.runs.score import measure
from harness.training.open_run import OpenRun
from harness.training.run_folder import append_line


class RunWatch:
    """Watches one run."""

    def __init__(self, run: OpenRun) -> None:
        self._run = run

    def sample_grid(self, method: Method, step: int) -> None:
        """Write samples/step-N.png."""
        trained = method.trained()
        if isinstance(trained, Sampler) and isinstance(trained, Trained):
            path = self._run.folder.samples / f"step-{step:08d}.png"
            draw_samples(trained, self._run.dataset, self._run.experiment, path)

    def evaluate(self, method: Method, step: int, best: dict[str, Any] | None) -> tuple[bool, dict[str, Any] | None]:
        """Add a line to evaluations.jsonl and hold the named metric against the best so far."""
        entries = measure(self._run, method, f"step-{step}")
        records = [entry.model_dump(mode="json") for entry in entries]
        append_line(self._run.folder.evaluations, {"step": step, "metrics": records})
        shown = "  ".join(f"{entry['metric']}={entry['value']:.4g}" for entry in records)
        self._run.reporter.note(f"evaluation at step {step}: {shown}")
        self._hook("harness_evaluated", step=step, metrics=records, folder=self._run.folder.path)
        return self._compare(records, step, best)

    def _compare(
        self, records: list[dict[str, Any]], step: int, best: dict[str, Any] | None
    ) -> tuple[bool, dict[str, Any] | None]:
        name = self._run.experiment.settings.evaluation.best
        if name is None:
            return False, best
        # the first by a metric's name is that of the most telling feature network
        found = next((entry for entry in records if name in (entry["metric"], entry["protocol_id"])), None)
        if found is None or found["higher_is_better"] is None:
            measured = ", ".join(sorted({entry["metric"] for entry in records}))
            raise EvaluationError(f"evaluation.best={name}, but what is measured is {measured}")
        sign = 1.0 if found["higher_is_better"] else -1.0
        if best is not None and sign * found["value"] <= sign * best["value"]:
            return False, best
        return True, {"metric": name, "value": found["value"], "protocol_id": found["protocol_id"], "step": step}

    def started(self) -> None:
        """The run starts or resumes."""
        self._hook("harness_run_started", experiment=self._run.experiment.record(), folder=self._run.folder.path)

    def step_finished(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """A line of the log was written."""
        self._hook("harness_step_finished", stage=stage, step=step, values=values)

    def finished(self, record: Mapping[str, Any]) -> None:
        """The record is written."""
        self._hook("harness_evaluated", step=None, metrics=record["metrics"], folder=self._run.folder.path)
        self._hook("harness_run_finished", record=record, folder=self._run.folder.path)

    def _hook(self, hook: str, **arguments: Any) -> None:
        self._run.catalog.plugins.watch(hook, self._run.reporter.note, **arguments)
