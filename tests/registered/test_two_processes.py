"""Every method in two processes, each with half of every batch: the gradients of one, and weights that stay alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from short_runs import DATA, dataset_for

from harness import AdversarialSettings
from harness.catalog import open_catalog

SUPPORT = Path(__file__).parents[1] / "support"

Results = tuple[dict[str, dict[str, torch.Tensor]], dict[str, dict[str, torch.Tensor]], dict[str, str]]


def cases() -> list[str]:
    """The first recipe of each method for images, and for points, with its data: RECIPE@DATASET.

    Those in which a discriminator sees images come a second time, with an augmentation, a regulariser and a penalty.
    """
    catalog = open_catalog()
    found: dict[tuple[str, str], str] = {}
    for name in catalog.names("method"):
        adversarial = issubclass(catalog.load_spec("method", name, "settings"), AdversarialSettings)
        for recipe in catalog.method(name).recipes:
            if "tiny" in recipe.scales:
                dataset = dataset_for(catalog, recipe.id)
                found.setdefault((name, dataset), f"{recipe.id}@{dataset}")
                if adversarial and dataset == DATA["images"]:
                    found.setdefault((name, "accompanied"), f"{recipe.id}@{dataset}@accompanied")
    return list(found.values())


CASES = cases()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Gradients by one process and by two, and what came of training in two; all methods in one launch."""
    folder = tmp_path_factory.mktemp("processes")
    for processes in ("1", "2"):
        done = subprocess.run(
            [sys.executable, SUPPORT / "first_gradients.py", folder, processes, *CASES],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SUPPORT)},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = (torch.load(folder / f"gradients-{n}.pt", weights_only=True) for n in (1, 2))
    return one, two, json.loads((folder / "trained-2.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_with_half_the_batch_have_the_gradients_of_one(results: Results, case: str) -> None:
    one, two, _ = results
    assert one[case].keys() == two[case].keys()
    for loss, expected in one[case].items():
        difference = (two[case][loss] - expected).abs().max() / expected.abs().max().clamp(min=1e-12)
        assert difference < 1e-5, f"{loss}: {difference:.2g} of the largest"


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if f"{case}@accompanied" not in CASES])
def test_two_processes_hold_the_same_weights_at_every_save(results: Results, case: str) -> None:
    assert results[2][case] == "finished"
