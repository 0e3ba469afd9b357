"""Every method trains in two processes, each with its share of a batch, and their weights stay the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from short_runs import dataset_for, short_stages

from harness.catalog import Catalog, open_catalog

#: the launcher starts the script again for the second process
SCRIPT = "import sys; from harness.cli import main; sys.exit(main())"


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
    changes = {"steps": 3, "batch_size": 12, "checkpoint_every": 1, "sample_every": 0}
    for stage, steps in short_stages(catalog, recipe, dataset).items():
        changes |= {f"{stage}.{key}": value for key, value in steps.items()}
    script = tmp_path / "harness_main.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [
            *(sys.executable, script, "train", "--plugin", recipe.partition("/")[0], "--recipe", recipe),
            *("--dataset", dataset, "--scale", "tiny", "--device", "cpu", "--devices", "2", "--out", tmp_path / "run"),
            *(word for key, value in changes.items() for word in ("--set", f"{key}={value}")),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    # the run compares the processes' weights at each save, and stops where they differ
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["cost"]["devices"] == 2
