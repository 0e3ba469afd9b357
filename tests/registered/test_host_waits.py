"""No step of any method waits for the device, or mixes it with the host: three steps of every stage, no numbers.

Stand-ins for methods to come are among them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from host_waits import META, HostWaits
from opening import opened
from short_runs import COMPANIONS, SHORT, accompanied_recipe, dataset_for, recipe_parameters, short_stages
from with_stand_ins import with_stand_ins

from harness.contracts import Stage
from harness.experiment import resolve
from harness.training.loop import Training
from harness.training.runtime import Runtime
from harness.training.watching import Unwatched

CATALOG = with_stand_ins()


def accompanied() -> list[Any]:
    """Of each method with a discriminator for images one recipe, with companions."""
    found = (accompanied_recipe(CATALOG, name) for name in CATALOG.names("method"))
    return [pytest.param(recipe, True, id=f"{recipe}-accompanied") for recipe in found if recipe is not None]


def alone() -> list[Any]:
    """Every recipe without companions; those that are looked at with some do nothing that they do not do there too."""
    also = {each.values[0] for each in accompanied()}
    return [
        pytest.param(recipe, False, id=recipe, marks=pytest.mark.slow if recipe in also else each.marks)
        for each in recipe_parameters(CATALOG)
        for recipe in each.values
    ]


@pytest.mark.parametrize(("recipe", "accompanied"), [*alone(), *accompanied()])
def test_no_step_waits(tmp_path: Path, recipe: str, accompanied: bool) -> None:
    dataset = dataset_for(CATALOG, recipe)
    given: dict[str, Any] = SHORT | short_stages(CATALOG, recipe, dataset) | (COMPANIONS if accompanied else {})
    experiment = resolve(CATALOG, plugin=None, recipe=recipe, dataset=dataset, scale="tiny", overrides=given)
    training = Training(opened(CATALOG, experiment, tmp_path), Runtime(META), Unwatched())
    keep_counts_on_the_host(training)
    waits = HostWaits()
    for stage in training.stages:
        take_three_steps(training, stage, waits)
    assert waits.found == []


def keep_counts_on_the_host(training: Training) -> None:
    """Where torch has an optimiser count its steps on any real device; building on the meta device moves it there."""
    for optimiser in training.method.state().values():
        if isinstance(optimiser, torch.optim.Optimizer):
            for state in optimiser.state.values():
                state["step"] = torch.zeros(())


def take_three_steps(training: Training, stage: Stage, waits: HostWaits) -> None:
    """Steps as the loop takes them; a stage's beginning, which comes once, may look at what it likes.

    They are not the first: what comes round in many steps (reclustering, say) comes round there.
    """
    if stage.source is not None or stage.steps == 0:
        return
    ctx = training.ctx
    ctx.stage, ctx.step = stage.name, 0
    try:
        data = stage.data(training.data) if stage.data else training.data  # type: ignore[arg-type]
    except (NotImplementedError, RuntimeError):  # it is made of the numbers; its form is that of the data
        data = training.data
    if stage.begin:
        stage.begin()
    stream = training._stream(stage, data)  # type: ignore[arg-type]
    for ctx.step in range(1, 4):
        with ctx.all_stepping(), ctx.autocast(), waits:
            stage.step(stream)


def test_what_waits_and_what_mixes_is_noticed() -> None:
    there, here, waits = torch.zeros(3, device=META), torch.zeros(3), HostWaits()
    with waits:
        here.to(META)
        there[torch.tensor([0, 1])]
        there + 1.0
        for look in (lambda: bool(there[0] > 0), there.tolist, there.nonzero, lambda: there[there > 0]):
            with pytest.raises((RuntimeError, NotImplementedError)):
                look()
    copied, mixed = waits.found
    assert "_to_copy" in copied
    assert "aten::index" in mixed
