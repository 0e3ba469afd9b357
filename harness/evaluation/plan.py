"""Which metrics are measured: those that apply and are cheap enough to be a default, or those that were named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.contracts.capabilities import CAPABILITIES
from harness.contracts.specs import MetricSpec
from harness.errors import EvaluationError, UnknownName
from harness.evaluation import MetricContext
from harness.evaluation.evidence.images_in_files import StoredImages
from harness.evaluation.metrics.metric import Measurement, Metric
from harness.evaluation.metrics.metric_context import Inapplicable
from harness.metric_settings import checked, own_settings

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.contracts.settings import EvaluationSettings
    from harness.evaluation.evidence.base import Bench


def plan(bench: Bench, context: MetricContext) -> list[tuple[MetricSpec, Measurement]]:
    """The measurements to make, with the metric that each belongs to.

    :raises UnknownName: where the settings name a metric that nobody offers.
    :raises SettingsError: where a metric is set what it cannot be told.
    :raises EvaluationError: where a named metric cannot be measured here, or an extractor does not take the images.
    """
    asked = context.settings.metrics
    of = checked(bench.catalog, context.settings).of
    if bench.dataset.spec.kind == "points" and context.settings.extractors:
        raise EvaluationError(
            f"evaluation.extractors names {', '.join(context.settings.extractors)}, "
            f"but data set '{bench.dataset.name}' holds points, which no feature network takes",
            "leave evaluation.extractors out",
        )
    cheap = [spec for spec in _all(bench.catalog) if spec.by_default]
    specs = cheap if asked is None else _named(bench.catalog, asked)
    planned = []
    for spec in specs:
        try:
            measurements = _measurements(bench, context, spec, of.get(spec.name, {}))
        except Inapplicable as reason:
            if asked is None:
                continue
            name = next(name for name in asked if name == spec.name or name in spec.names)
            raise EvaluationError(f"metric '{name}' cannot be measured here: {reason}") from None
        wanted = None if asked is None or spec.name in asked else set(asked) & set(spec.names)
        _check_measured(wanted or (), measurements)
        for only in (_restricted(each, wanted) for each in measurements):
            if only is not None:
                _check_counts(only, context.settings)
                planned.append((spec, only))
    return planned


def within_reach(trained: object, settings: EvaluationSettings, catalog: Catalog) -> EvaluationSettings:
    """The settings without the named metrics that ask for a capability which this object lacks.

    For what is measured beside a method's main object: that one answers for whatever cannot be measured at all.
    """
    if settings.metrics is None:
        return settings
    reached = [n for n in settings.metrics if isinstance(trained, _capability(catalog, catalog.metric(n)))]
    return settings.model_copy(update={"metrics": tuple(reached)})


def _check_measured(names: Iterable[str], measurements: Sequence[Measurement]) -> None:
    """Every value that was named is measured: a family may give only some of its values with these networks."""
    found = {protocol.metric: None for measurement in measurements for protocol in measurement.protocols.values()}
    for name in sorted(names):
        if name not in found:
            raise EvaluationError(
                f"metric '{name}' cannot be measured here: what is measured goes by the name of {', '.join(found)}",
                "name that, or another extractor",
            )


def _all(catalog: Catalog) -> list[MetricSpec]:
    return [spec for spec in catalog.all("metric") if isinstance(spec, MetricSpec)]


def _named(catalog: Catalog, asked: Sequence[str]) -> list[MetricSpec]:
    return list({spec.name: spec for spec in map(catalog.metric, asked)}.values())


def _measurements(
    bench: Bench, context: MetricContext, spec: MetricSpec, given: Mapping[str, Any]
) -> Sequence[Measurement]:
    kind = bench.dataset.spec.kind
    if kind not in spec.kinds:
        raise Inapplicable(f"it is for {' and '.join(spec.kinds)}, and data set '{bench.dataset.name}' holds {kind}")
    if not isinstance(bench.trained, _capability(bench.catalog, spec)):
        what = "images in files have" if isinstance(bench.trained, StoredImages) else "the method has"
        raise Inapplicable(f"{what} no capability '{spec.requires}'")
    settings = own_settings(bench.catalog, spec, given)
    build = bench.catalog.load_spec("metric", spec.name, "metric")
    metric: Metric = build() if settings is None else build(settings)
    return metric.measurements(context)


def _capability(catalog: Catalog, spec: MetricSpec) -> type:
    if spec.requires in CAPABILITIES:
        return CAPABILITIES[spec.requires]
    if ":" not in spec.requires:
        raise UnknownName(f"capability of metric '{spec.name}'", spec.requires, CAPABILITIES)
    capability: type = catalog.load_spec("metric", spec.name, "requires")
    return capability


def _restricted(measurement: Measurement, names: set[str] | None) -> Measurement | None:
    """The measurement without the values that nobody asked for; None where nothing is left."""
    if names is None:
        return measurement
    kept = {key: protocol for key, protocol in measurement.protocols.items() if protocol.metric in names}
    return replace(measurement, protocols=kept) if kept else None


def _check_counts(measurement: Measurement, settings: EvaluationSettings) -> None:
    counts = measurement.counts()
    limits = {"samples": settings.samples, "neighbours_samples": settings.neighbours_samples}
    for role, least in measurement.least.items():
        if role in counts and counts[role] < least:
            names = ", ".join(dict.fromkeys(protocol.metric for protocol in measurement.protocols.values()))
            reached = [f"raise --set evaluation.{name}" for name, most in limits.items() if counts[role] == most]
            raise EvaluationError(
                f"{names}: at least {least} {role} items are needed, not {counts[role]}",
                f"{reached[0] if reached else 'give more images'}, or name the metrics that are wanted",
            )
