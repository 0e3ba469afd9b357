"""What stands under ``evaluation.of.METRIC``: a metric's own settings, checked by the metric's own class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings, Settings
from harness.contracts.specs import MetricSpec
from harness.errors import SettingsError, UnknownName, suggestion
from harness.overrides import flattened, validated

#: where the settings of single metrics stand
GROUP = "evaluation.of"


class OwnSetting(NamedTuple):
    """One thing that a metric can be told.

    :ivar key: as it is typed, e.g. "evaluation.of.METRIC.KEY".
    :ivar default: as plain data.
    :ivar about: what it means, one line.
    :ivar examples: other values that it takes: those of a choice, and those that its field names as examples.
    """

    key: str
    default: Any
    about: str
    examples: tuple[Any, ...] = ()


def checked(catalog: Catalog, settings: EvaluationSettings) -> EvaluationSettings:
    """The settings with those of single metrics looked through, and each under the name that its metric has.

    They stay as they were given: defaults are not filled in, so that a metric which gains a setting changes no record.

    :raises SettingsError: naming the full key, for a metric that nobody offers, one without settings, an unknown key or
        a wrong value.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name, given in settings.of.items():
        spec = _metric(catalog, name, given)
        if spec.name in found:
            raise SettingsError(f"{GROUP}.{name} is said of metric '{spec.name}' under another name too", "keep one")
        own_settings(catalog, spec, given)
        found[spec.name] = given
    return settings.model_copy(update={"of": found}) if found else settings


def own_settings(catalog: Catalog, spec: MetricSpec, given: Mapping[str, Any]) -> Settings | None:
    """What a metric is built with: the defaults of its class below what was given; None where it has no settings.

    :raises SettingsError: for an unknown key or a wrong value.
    """
    if spec.settings is None:
        return None
    cls: type[Settings] = catalog.load_spec("metric", spec.name, "settings")
    return validated(cls, given, f"metric '{spec.name}'", prefix=f"{GROUP}.{spec.name}.")


def described(catalog: Catalog, spec: MetricSpec) -> list[OwnSetting]:
    """Everything that a metric can be told; empty where it has no settings."""
    settings = own_settings(catalog, spec, {})
    return [] if settings is None else list(_described(settings, f"{GROUP}.{spec.name}."))


def _described(settings: BaseModel, prefix: str) -> Iterator[OwnSetting]:
    plain = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _described(value, f"{prefix}{name}.")
        else:
            choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            about = " ".join((field.description or "").split())
            yield OwnSetting(prefix + name, plain[name], about, (*choices, *(field.examples or ())))


def _metric(catalog: Catalog, name: str, given: Mapping[str, Any]) -> MetricSpec:
    """The metric that settings are said of; of one value of a metric nothing can be set alone."""
    key = next(iter(flattened({name: given})))
    told = [spec.name for spec in catalog.all("metric") if isinstance(spec, MetricSpec) and spec.settings is not None]
    try:
        spec = catalog.metric(name)
    except UnknownName:
        raise SettingsError(f"setting '{GROUP}.{key}': unknown metric '{name}'", suggestion(name, told)) from None
    if spec.settings is None:
        raise SettingsError(f"setting '{GROUP}.{key}': metric '{spec.name}' has no settings", "leave it out")
    if name in spec.names and name != spec.name:
        raise SettingsError(
            f"setting '{GROUP}.{key}': '{name}' is a value of metric '{spec.name}'", f"write {GROUP}.{spec.name}"
        )
    return spec
