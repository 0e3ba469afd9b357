"""The training data as a method: its samples are training items, each as likely as any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from opening import CPU, opened

from harness import Seeds
from harness.catalog import Catalog
from harness.experiment import resolve
from harness.training.loop import Training
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched

Look = Callable[[str], Training]


@pytest.fixture
def look(catalog: Catalog, tmp_path: Path) -> Look:
    def run(dataset: str) -> Training:
        kind = "images" if dataset == "digits" else "points"
        experiment = resolve(catalog, plugin="training-data", recipe=kind, dataset=dataset)
        training = Training(opened(catalog, experiment, tmp_path / dataset), Runtime(CPU), Unwatched())
        training.run(resume=False)
        return training

    return run


def drawn(training: Training, n: int) -> Any:
    return training.method.trained().sample(Seeds(0, range(n)))  # type: ignore[attr-defined]


@pytest.mark.parametrize("dataset", ["digits", "ring2d", "gaussian_clusters"])
def test_samples_are_the_items_that_they_say_they_are(look: Look, dataset: str) -> None:
    training = look(dataset)
    samples = drawn(training, 50)
    places = samples.latents[:, 0].long()
    assert torch.equal(samples.images, training.data.at(places).images)
    assert samples.conditions is None
    assert len(places.unique()) > 40


def test_every_item_is_as_likely_as_any_other(look: Look) -> None:
    training = look("digits")
    n = len(training.data)  # type: ignore[arg-type]
    counts = torch.bincount(drawn(training, 20 * n).latents[:, 0].long(), minlength=n).double()
    assert len(counts) == n
    chi_squared = float(((counts - 20) ** 2 / 20).sum())
    assert abs(chi_squared - (n - 1)) < 5 * (2 * n) ** 0.5
