"""Whether protocols show what a metric was told: two values of a setting must never give numbers of one id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import MetricSpec
from harness.doctor.cases import Case
from harness.errors import SettingsError
from harness.evaluation import check_evaluation
from harness.metric_settings import GROUP, OwnSetting, described, own_settings


def check_shown(
    catalog: Catalog, spec: MetricSpec, cases: Sequence[Case], extractors: tuple[str, ...] | None = None
) -> None:
    """Every setting of a metric stands in the ids of its protocols; nothing is measured.

    :param cases: what it is planned on, with as many samples as evaluation has by default; one that shows a setting is
        enough, since it may mean nothing on other data.
    :raises SettingsError: naming the setting that does not, or one of which no second value is known.
    :raises EvaluationError: where the metric cannot be measured there.
    """
    for setting in described(catalog, spec):
        seen: dict[tuple[str, ...], Any] = {}
        values = list(_values(catalog, spec, setting))
        if len(values) < 2:
            raise SettingsError(
                f"of '{setting.key}' no value is known but {setting.default!r}, so it cannot be seen to be shown",
                "give others as Field(examples=[...])",
            )
        for value in values:
            ids = _ids(catalog, spec, cases, extractors, nested(spec, setting.key, value))
            if ids in seen:
                raise SettingsError(
                    f"metric '{spec.name}' does not show '{setting.key}' in its protocols: "
                    f"{seen[ids]!r} and {value!r} have one id, {ids[0] if ids else 'none'}",
                    "add a Term for it",
                )
            seen[ids] = value


def nested(spec: MetricSpec, key: str, value: Any) -> dict[str, Any]:
    """The settings of a metric with one of them set, by its full key."""
    *groups, last = key.removeprefix(f"{GROUP}.{spec.name}.").split(".")
    found: dict[str, Any] = {last: value}
    for group in reversed(groups):
        found = {group: found}
    return found


def _ids(
    catalog: Catalog,
    spec: MetricSpec,
    cases: Sequence[Case],
    extractors: tuple[str, ...] | None,
    given: Mapping[str, Any],
) -> tuple[str, ...]:
    found: list[str] = []
    for case in cases:
        settings = EvaluationSettings(
            metrics=(spec.name,),
            extractors=extractors if case.dataset.spec.kind == "images" else None,
            outliers=case.outliers,
            of={spec.name: given},
        )
        found += check_evaluation(case.trained, dataset=case.dataset, settings=settings, catalog=catalog)
    return tuple(found)


def _values(catalog: Catalog, spec: MetricSpec, setting: OwnSetting) -> Iterator[Any]:
    """The default and others beside it that the metric takes, each once."""
    taken: list[str] = []
    for value in (setting.default, *setting.examples, *_beside(setting.default)):
        try:
            settings = own_settings(catalog, spec, nested(spec, setting.key, value))
        except SettingsError:
            continue
        assert settings is not None
        read = settings.model_dump_json()  # 1 and 1.0 may be one value
        if read not in taken:
            taken.append(read)
            yield value


def _beside(value: Any) -> list[Any]:
    """Values near a value, of its kind; none of a text, which may have to name something."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value / 2, value * 2, value + 1]
    if isinstance(value, list):
        changed = [
            [*value[:place], other, *value[place + 1 :]] for place, v in enumerate(value) for other in _beside(v)
        ]
        return [value[:-1], *changed]
    return []
