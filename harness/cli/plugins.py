"""``harness plugins``: every plugin found, what it offers, or why it is not in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from harness.catalog import SPOKEN, open_catalog
from harness.cli.options import AsJson, Without
from harness.cli.printing import listed, print_json, print_table
from harness.contracts.specs import MethodSpec
from harness.plugins import KIND_OF_SPEC, Plugin

HEADERS = ("plugin", "version", "distribution", "status", "offers")


def plugins(
    deep: Annotated[bool, typer.Option("--deep", help="Also import everything that is registered.")] = False,
    as_json: AsJson = False,
    without: Without = None,
) -> int:
    """List the plugins: what each offers, or why it is not in use."""
    catalog = open_catalog(without or ())
    found = catalog.plugins.plugins
    problems: Sequence[Any] = ()
    if deep:
        from harness.plugin_check import failures

        problems = list(failures(catalog))
    if as_json:
        print_json({"plugins": [_entry(plugin) for plugin in found]} | ({"failures": problems} if deep else {}))
    else:
        print_table(HEADERS, [_row(plugin) for plugin in found])
        for line in [*(clash for plugin in found for clash in plugin.clashes), *problems]:
            print(line)
        if deep and not problems:
            print("everything that is registered can be imported")
    return 1 if problems else 0


def offers(plugin: Plugin) -> dict[str, list[str]]:
    """The names that a plugin offers, by kind; a method's recipes count as its plugin's."""
    result: dict[str, list[str]] = {}
    for spec in plugin.offers:
        result.setdefault(KIND_OF_SPEC[type(spec).__name__], []).append(spec.name)
        if isinstance(spec, MethodSpec):
            result.setdefault("recipe", []).extend(recipe.id for recipe in spec.recipes)
    return result


def counted(kind: str, number: int) -> str:
    """ "1 method", "3 data sets"."""
    spoken = SPOKEN.get(kind, kind)
    plural = {"loss": "losses", "penalty": "penalties"}.get(spoken, spoken + "s")
    return f"{number} {spoken if number == 1 else plural}"


def _row(plugin: Plugin) -> tuple[str, ...]:
    said = "; ".join(f"{counted(kind, len(names))}: {listed(names)}" for kind, names in offers(plugin).items())
    return (plugin.name, plugin.version, plugin.distribution, plugin.status, plugin.error or said or "nothing")


def _entry(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "distribution": plugin.distribution,
        "module": plugin.module,
        "status": plugin.status,
        "error": plugin.error,
        "clashes": plugin.clashes,
        "offers": offers(plugin),
    }
