"""From a trained method to metric entries: plan, collect evidence, compute."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from harness.contracts.specs import MetricSpec
from harness.errors import EvaluationError
from harness.evaluation import MetricContext
from harness.evaluation.evidence.base import Bench
from harness.evaluation.metrics.metric import Measurement, Value
from harness.evaluation.plan import plan
from harness.evaluation.protocols.metric_entry import MetricEntry

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.contracts.settings import EvaluationSettings
    from harness.data.loading import LoadedDataset
    from harness.evaluation.reference_statistics.npz_file import StatisticsFile


#: takes a picture that belongs to a number: its file's stem, and PNG bytes
Figures = Callable[[str, bytes], None]


def evaluate(
    trained: Any,
    *,
    dataset: LoadedDataset,
    settings: EvaluationSettings,
    catalog: Catalog,
    seed: int,
    device: torch.device | str,
    subject: Mapping[str, str] | None = None,
    replicate: Mapping[str, int | str | None] | None = None,
    has_real: bool = True,
    imported: StatisticsFile | None = None,
    figures: Figures | None = None,
    note: Callable[[str], None] = warnings.warn,
) -> list[MetricEntry]:
    """Measure a trained method; it and the global random generators are left as they were.

    :param trained: an object with capabilities; networks are looked up in its `networks`.
    :param seed: the run's seed, which fixes every sample.
    :param device: where feature networks run.
    :param subject: what of the method is measured, beside what the method itself says.
    :param replicate: which repetition this is; the seed where nothing is given.
    :param has_real: False where `dataset` is the generated images themselves, because nothing real is given.
    :param imported: statistics that stand for the real images in Fréchet distances.
    :param figures: takes the pictures that belong to numbers.
    :param note: takes what the user should know on the way: what takes long, and which numbers that nobody named
        could not be computed, and why.
    :returns: entries in the order of the metrics; `seconds` of each is its own time and that of the evidence first
        made for it, so that they add up to the whole.
    :raises EvaluationError: where something asked for cannot be measured.
    """
    bench = Bench(trained, dataset, catalog, seed, device, has_real=has_real, imported=imported, note=note)
    common = {**getattr(trained, "subject", {}), **(subject or {})}
    which = dict(replicate) if replicate is not None else {"seed": seed}
    with bench.repeatable():
        planned = plan(bench, MetricContext(bench, settings))
        bench.expect(request for _, measurement in planned for request in measurement.evidence.values())
        entries = []
        for spec, measurement in planned:
            try:
                values, seconds = _computed(bench, measurement)
            except EvaluationError as error:
                if settings.metrics is not None:
                    raise
                # one number that cannot be had does not cost all the others
                note(f"not measured: {', '.join(protocol.id for protocol in measurement.protocols.values())}: {error}")
                continue
            for key, value in values:
                entries.append(_entry(spec, measurement, key, value, seconds / len(values), common, which))
                if figures is not None:
                    for stem, picture in value.figures.items():
                        figures(stem, picture)
    return entries


def check_evaluation(
    trained: Any,
    *,
    dataset: LoadedDataset,
    settings: EvaluationSettings,
    catalog: Catalog,
    device: torch.device | str = "cpu",
) -> list[str]:
    """The ids of the protocols that :func:`evaluate` would measure under; for use before hours of training.

    :raises EvaluationError: where something asked for cannot be measured.
    """
    bench = Bench(trained, dataset, catalog, 0, device)
    planned = plan(bench, MetricContext(bench, settings))
    return [protocol.id for _, measurement in planned for protocol in measurement.protocols.values()]


def _computed(bench: Bench, measurement: Measurement) -> tuple[list[tuple[str, Value]], float]:
    """Values with the keys of their protocols, and the seconds that all of them took."""
    started = time.perf_counter()
    found = measurement.compute(**{role: bench.get(request) for role, request in measurement.evidence.items()})
    seconds = time.perf_counter() - started
    values = []
    for key in measurement.protocols:
        given = found[key]
        values += [(key, value) for value in ([given] if isinstance(given, Value) else given)]
    return values, seconds


def _entry(
    spec: MetricSpec,
    measurement: Measurement,
    key: str,
    value: Value,
    seconds: float,
    subject: Mapping[str, str],
    replicate: Mapping[str, int | str | None],
) -> MetricEntry:
    protocol = measurement.protocols[key]
    if protocol.metric not in spec.names:
        raise EvaluationError(f"metric '{spec.name}' gives '{protocol.metric}', which it did not register")
    if not abs(value.value) < float("inf"):
        raise EvaluationError(f"{protocol.id} came out as {value.value}")
    return MetricEntry(
        metric=protocol.metric,
        value=value.value,
        std_error=value.std_error,
        std_error_of=value.std_error_of,
        protocol_id=protocol.id,
        protocol=protocol.record(),
        subject={**subject, **value.subject},
        replicate=dict(replicate),
        counts=measurement.counts(),
        higher_is_better=spec.names[protocol.metric],
        seconds=seconds,
        remark=value.remark,
        details=dict(value.details),
    )
