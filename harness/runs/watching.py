"""Grids, evaluations and plugin hooks while a run trains; none of it changes what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from harness.capabilities import Sampler, Trained
from harness.catalog import Catalog
from harness.data import LoadedDataset
from harness.errors import EvaluationError
from harness.experiment import Experiment
from harness.runs.grids import draw_samples
from harness.runs.scoring import measure
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder, append_line

if TYPE_CHECKING:
    from harness.methods import Method


class RunWatch:
    """Watches one run."""

    def __init__(
        self,
        catalog: Catalog,
        folder: RunFolder,
        dataset: LoadedDataset,
        experiment: Experiment,
        device: torch.device,
        reporter: Reporter,
    ) -> None:
        self._catalog = catalog
        self._folder = folder
        self._dataset = dataset
        self._experiment = experiment
        self._device = device
        self._reporter = reporter

    def sample_grid(self, method: Method, step: int) -> None:
        """Write samples/step-N.png."""
        trained = method.trained()
        if isinstance(trained, Sampler) and isinstance(trained, Trained):
            path = self._folder.samples / f"step-{step:08d}.png"
            draw_samples(trained, self._dataset, self._experiment, path)

    def evaluate(self, method: Method, step: int, best: dict[str, Any] | None) -> tuple[bool, dict[str, Any] | None]:
        """Add a line to evaluations.jsonl and hold the named metric against the best so far."""
        entries = measure(
            method,
            self._experiment,
            self._dataset,
            self._catalog,
            self._device,
            f"step-{step}",
            self._folder,
            self._reporter,
        )
        records = [entry.model_dump(mode="json") for entry in entries]
        append_line(self._folder.evaluations, {"step": step, "metrics": records})
        shown = "  ".join(f"{entry['metric']}={entry['value']:.4g}" for entry in records)
        self._reporter.note(f"evaluation at step {step}: {shown}")
        self._hook("harness_evaluated", step=step, metrics=records, folder=self._folder.path)
        return self._compare(records, step, best)

    def _compare(
        self, records: list[dict[str, Any]], step: int, best: dict[str, Any] | None
    ) -> tuple[bool, dict[str, Any] | None]:
        name = self._experiment.settings.evaluation.best
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
        self._hook("harness_run_started", experiment=self._experiment.record(), folder=self._folder.path)

    def step_finished(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """A line of the log was written."""
        self._hook("harness_step_finished", stage=stage, step=step, values=values)

    def finished(self, record: Mapping[str, Any]) -> None:
        """The record is written."""
        self._hook("harness_evaluated", step=None, metrics=record["metrics"], folder=self._folder.path)
        self._hook("harness_run_finished", record=record, folder=self._folder.path)

    def _hook(self, hook: str, **arguments: Any) -> None:
        self._catalog.plugins.watch(hook, self._reporter.note, **arguments)
