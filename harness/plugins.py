"""Finds plugins, takes in what they register, isolates the broken ones and reports clashes.

pluggy does the hook calling; finding is done here because its own loader stops at the first broken plugin, and one
raising hook would abort the call for all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from harness.contracts import hookspecs, specs
from harness.contracts.spec_rules import problem_with
from harness.contracts.specs import MethodSpec, MetricSpec, Spec
from harness.errors import suggestion

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
    :param clashes: a line for each offer whose name another plugin has: it goes by PLUGIN/NAME.
    """

    name: str
    module: str
    distribution: str
    version: str
    status: Status = "ok"
    error: str | None = None
    offers: list[Spec] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)


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
        # the harness's own packages before strangers': who comes first has a contested name to itself
        for point in sorted(points, key=lambda p: (_distribution(p)[0] != "gan-harness", p.name, p.value)):
            module = point.value.partition("[")[0].strip()  # "module [extra]" is allowed by the metadata's standard
            self._add(point.name, module, *_distribution(point), point.name in without)
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
            except (Exception, SystemExit) as error:
                key = f"{implementation.plugin_name}.{hook}"
                if key not in self._watch_errors:
                    self._watch_errors.add(key)
                    report(f"plugin '{implementation.plugin_name}': {hook} raised {one_line(error)}")

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
        taken = next((p for p in self.plugins[:-1] if p.name == plugin.name and p.status == "ok"), None)
        if taken is not None:
            raise PluginError(f"plugin name '{plugin.name}' is taken by {taken.module} ({taken.distribution})")
        try:
            module = import_module(plugin.module)
        except (Exception, SystemExit) as error:
            raise PluginError(f"import of {plugin.module} raised {one_line(error)}") from error
        if self.manager.is_registered(module):
            raise PluginError(f"{plugin.module} is already in use as plugin '{self.manager.get_name(module)}'")
        try:
            self._register(plugin.name, module)
            plugin.offers = self._told_apart(plugin, self._offers(module))
        except PluginError:
            self._forget(module)
            raise
        for spec in plugin.offers:
            for key in _keys(spec):
                self._owners[key] = plugin.name

    def _register(self, name: str, module: Any) -> None:
        known = {hook for hook in dir(hookspecs) if hook.startswith("harness_")}
        for hook in sorted(known):
            function = getattr(module, hook, None)
            if callable(function) and not hasattr(function, "harness_impl"):
                raise PluginError(f"{hook} is not marked with @hookimpl, so it would never be called")
        try:
            self.manager.register(module, name)
        except Exception as error:
            raise PluginError(one_line(error)) from error
        for caller in self.manager.get_hookcallers(module) or []:
            if caller.name not in known:
                raise PluginError(f"unknown hook '{caller.name}'; {suggestion(caller.name, known)}")
            if any(i.wrapper or i.hookwrapper for i in caller.get_hookimpls() if i.plugin is module):
                raise PluginError(f"{caller.name} is a hook wrapper, and hooks here are called one by one")

    def _forget(self, module: Any) -> None:
        if self.manager.is_registered(module):
            self.manager.unregister(module)

    def _offers(self, module: Any) -> list[Spec]:
        offers: list[Spec] = []
        for caller in self.manager.get_hookcallers(module) or []:
            if caller.name not in REGISTERING:
                continue
            for implementation in caller.get_hookimpls():
                if implementation.plugin is module:
                    offers += _registered(caller.name, implementation)
        return offers

    def _told_apart(self, plugin: Plugin, offers: Sequence[Spec]) -> list[Spec]:
        """A plugin's offers; those whose names another plugin has are named after their plugin too."""
        own: set[tuple[str, str]] = set()
        found = []
        for spec in offers:
            for kind, name in _keys(spec):
                if (kind, name) in own:
                    raise PluginError(f"registers {kind} '{name}' twice")
                own.add((kind, name))
            taken = next((key for key in _keys(spec) if key in self._owners), None)
            if taken is not None:
                plugin.clashes.append(_clash(taken, self._owners[taken], plugin.name, spec))
                spec = under_its_plugin(spec, plugin.name)
            found.append(spec)
        return found


def under_its_plugin(spec: Spec, plugin: str) -> Spec:
    """An offer under PLUGIN/NAME, which no other plugin can claim; a metric then waits to be asked for."""
    name = f"{plugin}/{spec.name}"
    if isinstance(spec, MethodSpec):
        recipes = tuple(replace(recipe, id=f"{plugin}/{recipe.id}", method=name) for recipe in spec.recipes)
        return replace(spec, name=name, recipes=recipes)
    if isinstance(spec, MetricSpec):
        return replace(spec, name=name, by_default=False)
    return replace(spec, name=name)


def _clash(taken: tuple[str, str], owner: str, plugin: str, spec: Spec) -> str:
    kind, name = taken
    return (
        f"{kind} '{name}' is offered by plugin '{owner}' and by plugin '{plugin}': "
        f"'{name}' means that of '{owner}', '{plugin}/{spec.name}' the other"
    )


def _registered(hook: str, implementation: pluggy.HookImpl) -> list[Spec]:
    """What one implementation of a registering hook registers."""
    offers: list[Spec] = []
    classes = tuple(getattr(specs, name) for name in REGISTERING[hook])

    refused: list[PluginError] = []

    def register(spec: Spec) -> None:
        problem = None
        if type(spec) not in classes:
            problem = f"{hook} takes {' or '.join(REGISTERING[hook])}, not {type(spec).__name__}"
        elif (fault := problem_with(spec)) is not None:
            problem = f"{KIND_OF_SPEC[type(spec).__name__]} '{spec.name}': {fault}"
        if problem is not None:
            refused.append(PluginError(problem))
            raise refused[-1]
        offers.append(spec)

    try:
        # only the arguments that it names, as pluggy would pass them
        returned = implementation.function(**{name: register for name in implementation.argnames})
    except (Exception, SystemExit) as error:
        raise (refused[0] if refused else PluginError(f"{hook} raised {one_line(error)}")) from error
    if refused:  # and the plugin swallowed the error
        raise refused[0]
    if returned is not None:
        raise PluginError(f"{hook} returned {type(returned).__name__}; it must call register(spec) instead")
    return offers


def import_module(target: str) -> Any:
    """Import "package.module" or "package.module:attribute"."""
    module, _, attribute = target.partition(":")
    loaded = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        loaded = getattr(loaded, part)
    return loaded


def _keys(spec: Spec) -> list[tuple[str, str]]:
    """The names that a spec claims: its own, and those of a method's recipes and a metric's values."""
    keys = [(KIND_OF_SPEC[type(spec).__name__], spec.name)]
    if isinstance(spec, MetricSpec):
        keys += [("metric", name) for name in spec.names if name != spec.name]
    if isinstance(spec, MethodSpec):
        keys += [("recipe", recipe.id) for recipe in spec.recipes]
    return keys


def one_line(error: BaseException) -> str:
    """An exception's type and text on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _distribution(point: EntryPoint) -> tuple[str, str]:
    dist = point.dist
    # an interrupted installation leaves metadata without a name
    return (dist.name or "?", dist.version or "?") if dist is not None else ("?", "?")


def _own_version() -> str:
    from harness.version import __version__

    return __version__
