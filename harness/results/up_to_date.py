"""Records of older versions in the terms of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.catalog import Catalog
from harness.errors import UserError
from harness.experiment import completed


def up_to_date(catalog: Catalog, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the settings that were added since it was written, at their defaults.

    The default of a setting that is added is what was done before there was a choice, so that runs of before and after
    are replicates. A record whose method is not installed, or would not take the settings any more, stays as it is.
    """
    try:
        settings = completed(catalog, record["method"], record["settings"])
    except UserError:
        return dict(record)
    return {**record, "settings": settings.model_dump(mode="json")}
