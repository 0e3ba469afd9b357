"""A paper of nobody's, whose numbers a plugin offers in place of all that are installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.results.references import COLUMNS

_PLUGIN = """
from harness import ReferenceSpec, hookimpl

@hookimpl
def harness_register_references(register):
    register(ReferenceSpec(name="smith2026", summary="Smith", folder="plugin_of_smith:numbers"))
"""


def offer_paper(folder: Path, monkeypatch: pytest.MonkeyPatch, protocols: str, *lines: Sequence[str]) -> None:
    """Install a plugin with the paper ``smith2026``.

    :param folder: an empty one, for the plugin.
    :param protocols: the content of its protocols.toml.
    :param lines: the cells of its Table 1 that follow paper and table.
    """
    package = folder / "plugin_of_smith"
    (package / "numbers").mkdir(parents=True)
    (package / "__init__.py").write_text(_PLUGIN, encoding="utf-8")
    (package / "numbers" / "protocols.toml").write_text(protocols, encoding="utf-8")
    rows = [COLUMNS, *(("smith2026", "Table 1", *cells) for cells in lines)]
    table = "".join(",".join(row) + "\n" for row in rows)
    (package / "numbers" / "table-01.csv").write_text(table, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "plugin_of_smith", raising=False)  # an earlier test's
    monkeypatch.syspath_prepend(folder)
    points = [EntryPoint("smith", "plugin_of_smith", "harness")]
    monkeypatch.setattr("harness.plugins.entry_points", lambda group: points)
