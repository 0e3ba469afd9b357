"""Imports everything that is registered, and says what cannot be: the deep half of ``harness plugins``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from harness.catalog import SPOKEN, Catalog
from harness.contracts.capabilities import CAPABILITIES
from harness.contracts.specs import MetricSpec, ReferenceSpec, Spec
from harness.plugins import KIND_OF_SPEC, import_module, one_line

#: fields that hold "module:attribute", by class of spec; one that is None is skipped
CODE_FIELDS = {
    "DatasetSpec": ("load", "modes"),
    "ModelSpec": ("settings", "build"),
    "LossSpec": ("discriminator", "generator", "outputs", "score"),
    "PenaltySpec": ("penalty",),
    "AugmentationSpec": ("settings", "augmentation"),
    "RegulariserSpec": ("settings", "regulariser"),
    "ExtractorSpec": ("load",),
    "MetricSpec": ("settings", "metric"),
    "MethodSpec": ("settings", "method"),
    "ReferenceSpec": (),
}


@dataclass(frozen=True)
class Failure:
    """One registered object that cannot be used.

    :param target: the "module:attribute" (or "package:path") as registered.
    """

    plugin: str
    kind: str
    name: str
    target: str
    error: str

    def __str__(self) -> str:
        return f"{self.plugin}: {SPOKEN.get(self.kind, self.kind)} '{self.name}': {self.target}: {self.error}"


def failures(catalog: Catalog) -> Iterator[Failure]:
    """Every registered object that is not there, or is not callable."""
    for plugin, spec in catalog.plugins.specs():
        kind = KIND_OF_SPEC[type(spec).__name__]
        for target in targets(spec):
            error = _problem(spec, target)
            if error is not None:
                yield Failure(plugin.name, kind, spec.name, target, error)


def targets(spec: Spec) -> Iterator[str]:
    """What a spec points at: code, a capability of the plugin's own, and for a reference its folder."""
    for name in CODE_FIELDS[type(spec).__name__]:
        target = getattr(spec, name)
        if target is not None:
            yield target
    if isinstance(spec, MetricSpec) and spec.requires not in CAPABILITIES:
        yield spec.requires
    if isinstance(spec, ReferenceSpec):
        yield spec.folder


def _problem(spec: Spec, target: str) -> str | None:
    try:
        if isinstance(spec, ReferenceSpec):
            package, _, path = target.partition(":")
            folder = files(package).joinpath(path)
            return None if folder.joinpath("protocols.toml").is_file() else "there is no protocols.toml"
        if ":" not in target:
            return "needs the form module:attribute"
        found = import_module(target)
        if not callable(found):
            return "is not callable"
        if isinstance(spec, MetricSpec) and target == spec.settings:
            found()  # a metric that nobody told anything is measured as well
        return None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return one_line(error)
