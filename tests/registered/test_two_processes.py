"""Every method in two processes, each with half of every batch: the gradients of one, and weights that stay alike.

Stand-ins for methods to come are among them.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from short_runs import accompanied_recipe, dataset_for, first_of_each, short_recipes
from with_stand_ins import with_stand_ins

SUPPORT = Path(__file__).parents[1] / "support"

Results = tuple[dict[str, dict[str, torch.Tensor]], dict[str, dict[str, torch.Tensor]], dict[str, str]]

CATALOG = with_stand_ins()


def with_data(recipe: str) -> str:
    return f"{recipe}@{dataset_for(CATALOG, recipe)}"


def accompanied() -> list[str]:
    """Of each method with a discriminator for images one recipe, with augmentation, regulariser and penalty."""
    found = (accompanied_recipe(CATALOG, name) for name in CATALOG.names("method"))
    return [f"{with_data(recipe)}@accompanied" for recipe in found if recipe is not None]


FIRST = [with_data(recipe) for recipe in short_recipes(CATALOG) if recipe in first_of_each(CATALOG)] + accompanied()
OTHERS = [case for case in map(with_data, short_recipes(CATALOG)) if case not in FIRST]


def parameters(cases: Sequence[str]) -> list[Any]:
    return [pytest.param(case, id=case, marks=pytest.mark.slow if case in OTHERS else ()) for case in cases]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """Gradients by one process and by two, and what came of training in two; of all like cases in one launch.

    Workers that run tests side by side share the launch: it lies in the folder that all of them write below.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @cache
    def of(name: str) -> Results:
        folder = shared / f"processes-{name}"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "done").exists():
                launch(folder, FIRST if name == "first" else OTHERS)
                (folder / "done").touch()
        one, two = (torch.load(folder / f"gradients-{n}.pt", weights_only=True) for n in (1, 2))
        return one, two, json.loads((folder / "trained-2.json").read_text())

    return lambda case: of("others" if case in OTHERS else "first")


def launch(folder: Path, cases: Sequence[str]) -> None:
    for processes in ("1", "2"):
        done = subprocess.run(
            [sys.executable, SUPPORT / "first_gradients.py", folder, processes, *cases],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SUPPORT)},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("case", parameters([*FIRST, *OTHERS]))
def test_two_processes_with_half_the_batch_have_the_gradients_of_one(
    results: Callable[[str], Results], case: str
) -> None:
    one, two, _ = results(case)
    assert one[case].keys() == two[case].keys()
    for loss, expected in one[case].items():
        difference = (two[case][loss] - expected).abs().max() / expected.abs().max().clamp(min=1e-12)
        assert difference < 1e-5, f"{loss}: {difference:.2g} of the largest"


@pytest.mark.parametrize("case", parameters([c for c in [*FIRST, *OTHERS] if f"{c}@accompanied" not in FIRST]))
def test_two_processes_hold_the_same_weights_at_every_save(results: Callable[[str], Results], case: str) -> None:
    assert results(case)[2][case] == "finished"
