"""What the plugins offer: look up by name, with near misses, and load the code behind a name on first use.

PLUGIN/NAME names what a plugin offers, whether or not another plugin offers the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from harness.contracts.specs import (
    AugmentationSpec,
    DatasetSpec,
    ExtractorSpec,
    LossSpec,
    MethodSpec,
    MetricSpec,
    ModelSpec,
    PenaltySpec,
    Recipe,
    RegulariserSpec,
    Spec,
)
from harness.errors import SettingsError, UnknownName, UserError, suggestion
from harness.plugins import KIND_OF_SPEC, Plugin, Plugins, import_module, one_line

S = TypeVar("S", bound=Spec)

#: how the user calls each kind, in errors
SPOKEN = {"dataset": "data set", "model": "backbone"}


class Catalog:
    """Everything registered, by kind and name.

    :param plugins: the plugins of this run.
    """

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self._owners: dict[tuple[str, str], Plugin] = {}
        self._specs: dict[str, dict[str, Spec]] = {kind: {} for kind in KIND_OF_SPEC.values()}
        for plugin, spec in plugins.specs():
            kind = KIND_OF_SPEC[type(spec).__name__]
            self._specs[kind][spec.name] = spec
            self._owners[kind, spec.name] = plugin

    # -- looking up --------------------------------------------------------------------------------

    def names(self, kind: str) -> list[str]:
        """Every registered name of a kind ("dataset", "model", "loss", ...), sorted."""
        return sorted(self._specs[kind])

    def all(self, kind: str) -> list[Spec]:
        """Every spec of a kind, by name."""
        return [self._specs[kind][name] for name in self.names(kind)]

    def owner(self, kind: str, name: str) -> Plugin:
        """The plugin that registered a name."""
        return self._owners[kind, name]

    def dataset(self, name: str) -> DatasetSpec:
        """The data set called `name`; what follows a colon ("folder:PATH") is its argument, not its name."""
        base, colon, argument = name.partition(":")
        spec = self._get("dataset", base, DatasetSpec)
        if colon and spec.argument is None:
            raise SettingsError(f"data set '{base}' takes nothing after a colon, but got '{name}'")
        if not argument and spec.argument is not None:
            raise SettingsError(f"data set '{base}' needs {spec.argument}", f"write {base}:{spec.argument}")
        return spec

    def model(self, name: str) -> ModelSpec:
        """The backbone called `name`."""
        return self._get("model", name, ModelSpec)

    def loss(self, name: str) -> LossSpec:
        """The adversarial loss called `name`."""
        return self._get("loss", name, LossSpec)

    def penalty(self, name: str) -> PenaltySpec:
        """The gradient penalty called `name`."""
        return self._get("penalty", name, PenaltySpec)

    def augmentation(self, name: str) -> AugmentationSpec:
        """The augmentation called `name`."""
        return self._get("augmentation", name, AugmentationSpec)

    def regulariser(self, name: str) -> RegulariserSpec:
        """The regulariser called `name`."""
        return self._get("regulariser", name, RegulariserSpec)

    def extractor(self, name: str) -> ExtractorSpec:
        """The feature network called `name`."""
        return self._get("extractor", name, ExtractorSpec)

    def metric(self, name: str) -> MetricSpec:
        """The metric called `name`, or the metric one of whose values is called so."""
        specs = [spec for spec in self._specs["metric"].values() if isinstance(spec, MetricSpec)]
        for spec in specs:
            if name in spec.names or name == spec.name:
                return spec
        if (found := self._find("metric", name)) is not None:
            return self._get("metric", found.name, MetricSpec)
        raise UnknownName("metric", name, {known for spec in specs for known in (spec.name, *spec.names)})

    def method(self, name: str) -> MethodSpec:
        """The method called `name`."""
        return self._get("method", name, MethodSpec)

    def recipes(self) -> list[Recipe]:
        """Every recipe, by id."""
        methods = (self.method(name) for name in self.names("method"))
        return sorted((recipe for method in methods for recipe in method.recipes), key=lambda recipe: recipe.id)

    def recipe(self, identifier: str) -> Recipe:
        """The recipe with this id, or PLUGIN/ID."""
        known = {recipe.id: recipe for recipe in self.recipes()}
        if identifier in known:
            return known[identifier]
        plugin, _, rest = identifier.partition("/")
        if rest not in known or self.owner("method", known[rest].method).name != plugin:
            raise UnknownName("recipe", identifier, known)
        return known[rest]

    def method_of(self, plugin_or_method: str) -> MethodSpec:
        """The method that ``--plugin NAME`` means: a method's own name, or a plugin that offers one method.

        A plugin with several methods means the one that bears its name, if any.
        """
        if self._find("method", plugin_or_method) is not None:
            return self.method(plugin_or_method)
        called_so = [plugin for plugin in self.plugins.plugins if plugin.name == plugin_or_method]
        for plugin in sorted(called_so, key=lambda plugin: plugin.error is not None):  # the one in use, if any
            if plugin.error is not None:
                raise UserError(f"plugin '{plugin.name}' is not in use: {plugin.error}")
            methods = [spec for spec in plugin.offers if isinstance(spec, MethodSpec)]
            if len(methods) == 1:
                return methods[0]
            offered = ", ".join(spec.name for spec in methods) or "none"
            fix = "give a method's name to --plugin" if methods else "see harness ls methods"
            raise SettingsError(f"plugin '{plugin.name}' offers {len(methods)} methods ({offered})", fix)
        names = [*self.names("method"), *(plugin.name for plugin in self.plugins.plugins if plugin.error is None)]
        raise UnknownName("plugin or method", plugin_or_method, names)

    def named(self, kind: str, name: str) -> str:
        """The name that is registered, of a name that may be PLUGIN/NAME.

        :raises UnknownName: where nothing of the kind is called so.
        """
        found = self._find(kind, name)
        if found is None:
            raise UnknownName(SPOKEN.get(kind, kind), name, self._specs[kind])
        return found.name

    # -- loading -----------------------------------------------------------------------------------

    def load(self, target: str, owner: str) -> Any:
        """Import the object behind "module:attribute".

        :param owner: whom to name when it cannot be imported ("method 'x' of plugin 'y'").
        """
        try:
            return import_module(target)
        except (Exception, SystemExit) as error:
            raise UserError(f"{owner} cannot be loaded from {target}: {one_line(error)}") from error

    def load_spec(self, kind: str, name: str, attribute: str) -> Any:
        """Import what a spec's attribute names, e.g. ``load_spec("method", NAME, "settings")``."""
        spec = self._find(kind, name)
        assert spec is not None
        plugin, spoken = self._owners[kind, spec.name], SPOKEN.get(kind, kind)
        return self.load(getattr(spec, attribute), f"{spoken} '{spec.name}' of plugin '{plugin.name}'")

    def _find(self, kind: str, name: str) -> Spec | None:
        """What is called `name`, or PLUGIN/NAME; None where there is none."""
        specs = self._specs[kind]
        plugin, _, rest = name.partition("/")
        if name not in specs and rest in specs and self._owners[kind, rest].name == plugin:
            return specs[rest]
        return specs.get(name)

    def _get(self, kind: str, name: str, cls: type[S]) -> S:
        spec = self._find(kind, name)
        if not isinstance(spec, cls):
            raise UnknownName(SPOKEN.get(kind, kind), name, self._specs[kind])
        return spec


def open_catalog(without: Sequence[str] = ()) -> Catalog:
    """Find the installed plugins and list what they offer.

    :raises UserError: where `without` names a plugin that does not exist.
    """
    plugins = Plugins(without)
    if plugins.unknown_switches:
        name = plugins.unknown_switches[0]
        known = [plugin.name for plugin in plugins.plugins]
        raise UserError(f"--without names no plugin: '{name}'", suggestion(name, known))
    return Catalog(plugins)
