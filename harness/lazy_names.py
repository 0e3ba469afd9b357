"""A package's public names, listed once and loaded on first use.

A package says what it offers by imports for type checking alone::

    if TYPE_CHECKING:
        from harness.contracts.method import Stage as Stage

    __all__, __getattr__ = lazy_names(__name__)

That list is all there is: type checkers and linters read it as it stands, and it is read here for the rest. Importing
the package is then as cheap as reading a file, whatever its names need.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_names(package: str) -> tuple[list[str], Callable[[str], Any]]:
    """The names that a package's source imports under ``if TYPE_CHECKING``, sorted, and its ``__getattr__``.

    :param package: ``__name__`` of the package, which is being imported.
    """
    spec = sys.modules[package].__spec__
    assert spec is not None
    loader: Any = spec.loader
    homes = _homes(loader.get_source(package))

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        found = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    return sorted(homes), load


def _homes(source: str) -> dict[str, str]:
    """Module by name, of every ``from MODULE import NAME`` for type checking at the top of a source."""
    blocks = (node for node in ast.parse(source).body if isinstance(node, ast.If))
    checking = (block for block in blocks if ast.unparse(block.test) == "TYPE_CHECKING")
    return {
        alias.name: node.module or ""
        for block in checking
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
