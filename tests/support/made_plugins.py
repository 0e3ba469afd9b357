"""Plugins that a test writes to a folder on the path."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

from harness.plugins import Plugin, Plugins

Install = Callable[..., EntryPoint]

PENALTY = """
    from harness import PenaltySpec, hookimpl

    @hookimpl
    def harness_register_losses(register):
        register(PenaltySpec(name="{name}", summary="a penalty", penalty="math:sqrt"))
"""

METHOD = """
    from harness import MethodSpec, Recipe, hookimpl

    RECIPES = ({recipes},)

    @hookimpl
    def harness_register_methods(register):
        register(MethodSpec(name="{name}", summary="a method", settings="harness.contracts.settings:MethodSettings",
                            method="{module}:Method", recipes=RECIPES))
"""


def penalty(install: Install, plugin: str, name: str = "zero", **options: Any) -> EntryPoint:
    return install(plugin, PENALTY.format(name=name), **options)


def method(install: Install, plugin: str, name: str, *recipes: str) -> EntryPoint:
    listed = ", ".join(f'Recipe(id="{recipe}", method="{name}", summary="-")' for recipe in recipes)
    return install(plugin, METHOD.format(name=name, module=f"fake_{plugin}", recipes=listed))


def plugin_called(plugins: Plugins, name: str) -> Plugin:
    """The only plugin of that name."""
    (plugin,) = [plugin for plugin in plugins.plugins if plugin.name == name]
    return plugin
