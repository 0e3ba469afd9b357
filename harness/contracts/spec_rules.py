"""What a spec must fulfil beyond its types, checked when it is registered, before anything relies on it."""

from __future__ import annotations

import re

from harness.contracts.specs import MethodSpec, Recipe, Spec

#: a name is typed on the command line and stands in file names
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def problem_with(spec: Spec) -> str | None:
    """What is wrong with a spec; None when nothing is."""
    if not isinstance(spec.name, str) or not NAME.fullmatch(spec.name):
        return "a name is made of letters, digits, and . _ + -"
    if isinstance(spec, MethodSpec):
        return _problem_with_recipes(spec)
    return None


def _problem_with_recipes(method: MethodSpec) -> str | None:
    if not method.recipes:
        return "a method needs at least one recipe"
    for recipe in method.recipes:
        if not isinstance(recipe, Recipe):
            return f"recipes holds a {type(recipe).__name__}, not a Recipe"
        if recipe.method != method.name:
            return f"recipe '{recipe.id}' says that it belongs to method '{recipe.method}'"
        prefix, slash, variant = recipe.id.partition("/")
        if not slash or prefix != method.name or not NAME.fullmatch(variant):
            return f"recipe id '{recipe.id}' must be {method.name}/VARIANT"
    return None
