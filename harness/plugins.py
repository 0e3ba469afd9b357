"""Finds plugins, takes in what they register, isolates the broken ones and reports clashes.

pluggy does the hook calling; finding is done here because its own loader stops at the first broken plugin, and one
raising hook would abort the call for all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from harness import hookspecs
from harness.specs import MethodSpec, Spec

ENTRY_POINT_GROUP = "harness"
BUILTIN = ("builtin", "harness.builtin.plugin")

Status = Literal["ok", "broken", "off"]

#: registering hook -> the class names of the specs that it takes
REGISTERING = {
    "harness_register_datasets": ("DatasetSpec",),
    "harness_register_models": ("ModelSpec",),
    "harness_register_losses": ("LossSpec", "PenaltySpec"),
    "harness_register_augmentations": ("AugmentationSpec",),
    "harness_register_regularisers": ("RegulariserSpec",),
    "harness_register_extractors": ("ExtractorSpec",),
    "harness_register_metrics": ("MetricSpec",),
    "harness_register_methods": ("MethodSpec",),
    "harness_register_references": ("ReferenceSpec",),
}

KIND_OF_SPEC = {
    "DatasetSpec": "dataset",
    "ModelSpec": "model",
    "LossSpec": "loss",
    "PenaltySpec": "penalty",
    "AugmentationSpec": "augmentation",
    "RegulariserSpec": "regulariser",
    "ExtractorSpec": "extractor",
    "MetricSpec": "metric",
    "MethodSpec": "method",
    "ReferenceSpec": "reference",
}


@dataclass
class Plugin:
    """One plugin as found: where it is from, whether it loaded, what it offers.

    :param error: one line that says why it is not in use; None when all is well.
    :param offers: its specs, in the order of registration; empty unless `status` is "ok".
    """

    name: str
    module: str
    distribution: str
    version: str
    status: Status = "ok"
    error: str | None = None
    offers: list[Spec] = field(default_factory=list)


class PluginError(Exception):
    """A plugin cannot be used; the message is the reason, one line."""


class Plugins:
    """The plugins of one run: built fresh each time, so that nothing leaks from one to the next.

    :param without: names to leave out.
    :param found: entry points to use in place of the installed ones (tests).
    """

    def __init__(self, without: Sequence[str] = (), found: Iterable[EntryPoint] | None = None) -> None:
        self.manager = pluggy.PluginManager("harness")
        self.manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        self._owners: dict[tuple[str, str], str] = {}
        self._watch_errors: set[str] = set()
        self._add(BUILTIN[0], BUILTIN[1], "gan-harness", _own_version(), BUILTIN[0] in without)
        points = entry_points(group=ENTRY_POINT_GROUP) if found is None else found
        # the harness's own packages before strangers': who comes first keeps a contested name
        for point in sorted(points, key=lambda p: (_distribution(p)[0] != "gan-harness", p.name, p.value)):
            self._add(point.name, point.value, *_distribution(point), point.name in without)
        known = {plugin.name for plugin in self.plugins}
        self.unknown_switches = [name for name in without if name not in known]

    def specs(self) -> Iterable[tuple[Plugin, Spec]]:
        """Everything on offer, with its owner."""
        for plugin in self.plugins:
            for spec in plugin.offers:
                yield plugin, spec

    def watch(self, hook: str, report: Callable[[str], None], **arguments: Any) -> None:
        """Call a watching hook of every plugin; an exception in one is reported once and goes no further."""
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            taken = {name: arguments[name] for name in implementation.argnames}
            try:
                implementation.function(**taken)
            except Exception as error:
                key = f"{implementation.plugin_name}.{hook}"
                if key not in self._watch_errors:
                    self._watch_errors.add(key)
                    report(f"plugin '{implementation.plugin_name}': {hook} raised {_one_line(error)}")

    # -- finding -----------------------------------------------------------------------------------

    def _add(self, name: str, module: str, distribution: str, version: str, off: bool) -> None:
        plugin = Plugin(name, module, distribution, version)
        self.plugins.append(plugin)
        if off:
            plugin.status, plugin.error = "off", "switched off with --without"
            return
        try:
            self._take_in(plugin)
        except PluginError as error:
            plugin.status, plugin.error, plugin.offers = "broken", " ".join(str(error).split()), []

    def _take_in(self, plugin: Plugin) -> None:
        if any(other.name == plugin.name and other.status == "ok" for other in self.plugins[:-1]):
            owner = next(other for other in self.plugins if other.name == plugin.name)
            raise PluginError(f"plugin name '{plugin.name}' is taken by {owner.module} ({owner.distribution})")
        try:
            module = import_module(plugin.module)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise PluginError(f"import of {plugin.module} raised {_one_line(error)}") from error
        try:
            self.manager.register(module, plugin.name)
        except Exception as error:
            self._forget(module)
            raise PluginError(_one_line(error)) from error
        try:
            self._check_hook_names(plugin, module)
            plugin.offers = self._offers(module)
            self._check_clashes(plugin)
        except PluginError:
            self._forget(module)
            raise
        for spec in plugin.offers:
            for key in _keys(spec):
                self._owners[key] = plugin.name

    def _forget(self, module: Any) -> None:
        if self.manager.is_registered(module):
            self.manager.unregister(module)
            return
        # register() refused it half way: some of its hooks may already be listed
        for name in dir(self.manager.hook):
            caller = getattr(self.manager.hook, name)
            if isinstance(caller, pluggy.HookCaller) and any(i.plugin is module for i in caller.get_hookimpls()):
                caller._remove_plugin(module)

    def _check_hook_names(self, plugin: Plugin, module: Any) -> None:
        known = {name for name in dir(hookspecs) if name.startswith("harness_")}
        for caller in self.manager.get_hookcallers(module) or []:
            if caller.name not in known:
                from harness.errors import suggestion

                raise PluginError(f"unknown hook '{caller.name}'; {suggestion(caller.name, known)}")

    def _offers(self, module: Any) -> list[Spec]:
        offers: list[Spec] = []
        for caller in self.manager.get_hookcallers(module) or []:
            kinds = REGISTERING.get(caller.name)
            if kinds is None:
                continue

            def register(spec: Spec, kinds: tuple[str, ...] = kinds, hook: str = caller.name) -> None:
                if type(spec).__name__ not in kinds:
                    raise PluginError(f"{hook} takes {' or '.join(kinds)}, not {type(spec).__name__}")
                offers.append(spec)

            for implementation in caller.get_hookimpls():
                if implementation.plugin is not module:
                    continue
                try:
                    # only the arguments that it names, as pluggy would pass them
                    implementation.function(**{name: register for name in implementation.argnames})
                except PluginError:
                    raise
                except Exception as error:
                    raise PluginError(f"{caller.name} raised {_one_line(error)}") from error
        return offers

    def _check_clashes(self, plugin: Plugin) -> None:
        own: set[tuple[str, str]] = set()
        for spec in plugin.offers:
            for kind, name in _keys(spec):
                if (kind, name) in own:
                    raise PluginError(f"registers {kind} '{name}' twice")
                owner = self._owners.get((kind, name))
                if owner is not None:
                    raise PluginError(
                        f"{kind} '{name}' is offered by plugin '{owner}' and by plugin '{plugin.name}'; "
                        f"'{owner}' keeps it: switch one off with --without, or rename it"
                    )
                own.add((kind, name))


def import_module(target: str) -> Any:
    """Import "package.module" or "package.module:attribute"."""
    module, _, attribute = target.partition(":")
    loaded = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        loaded = getattr(loaded, part)
    return loaded


def _keys(spec: Spec) -> list[tuple[str, str]]:
    """The names that a spec claims: its own, and a method's recipes too."""
    keys = [(KIND_OF_SPEC[type(spec).__name__], spec.name)]
    if isinstance(spec, MethodSpec):
        keys += [("recipe", recipe.id) for recipe in spec.recipes]
    return keys


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _distribution(point: EntryPoint) -> tuple[str, str]:
    dist = point.dist
    return (dist.name, dist.version) if dist is not None else ("?", "?")


def _own_version() -> str:
    from harness import __version__

    return __version__
