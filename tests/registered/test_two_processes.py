"""Every method trains in two processes, each with its share of a batch, and their weights stay the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from short_runs import SHORT, dataset_for, short_stages
from two_processes import train_in_two

from harness.catalog import Catalog, open_catalog


def cases() -> list[tuple[str, str]]:
    """The first recipe of each method for images, and for points."""
    catalog = open_catalog()
    found: dict[tuple[str, str], str] = {}
    for name in catalog.names("method"):
        for recipe in catalog.method(name).recipes:
            if "tiny" in recipe.scales:
                found.setdefault((name, dataset_for(catalog, recipe.id)), recipe.id)
    return [(recipe, dataset) for (_, dataset), recipe in found.items()]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "dataset"), cases())
def test_two_processes_keep_the_same_weights(catalog: Catalog, tmp_path: Path, recipe: str, dataset: str):
    changes = dict(SHORT)
    for stage, steps in short_stages(catalog, recipe, dataset).items():
        changes |= {f"{stage}.{key}": value for key, value in steps.items()}
    done = train_in_two(
        tmp_path,
        *("--plugin", recipe.partition("/")[0], "--recipe", recipe, "--dataset", dataset, "--scale", "tiny"),
        *(word for key, value in changes.items() for word in ("--set", f"{key}={value}")),
    )
    # the run compares the processes' weights at each save, and stops where they differ
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["cost"]["devices"] == 2
