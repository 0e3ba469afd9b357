"""Everything that is installed, and the stand-ins for what is to come."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from harness.catalog import Catalog
from harness.plugins import ENTRY_POINT_GROUP, Plugins

STAND_INS = EntryPoint("stand_ins", "stand_ins.plugin", ENTRY_POINT_GROUP)


def with_stand_ins() -> Catalog:
    """The catalogue of all installed plugins and of the stand-ins."""
    return Catalog(Plugins(found=[*entry_points(group=ENTRY_POINT_GROUP), STAND_INS]))
