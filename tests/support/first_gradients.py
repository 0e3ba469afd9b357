"""The first gradient of every loss of every method, by as many processes as the environment says.

    python first_gradients.py FOLDER 1|2 RECIPE@DATASET[@accompanied]...

writes FOLDER/gradients-N.pt: by recipe, stage and loss the gradients of the optimiser's own parameters after they were
averaged, all at the initial weights, since no optimiser steps, and the tensors that the method declares, as the last
step leaves them; and FOLDER/trained-N.json: what came of three steps with optimisers, in which the processes compare
their weights at every save.
"""

from __future__ import annotations

import json
import sys
from copy import copy
from pathlib import Path
from typing import Any

import torch
from short_runs import COMPANIONS, SHORT, short_stages
from with_stand_ins import with_stand_ins

from harness.catalog import Catalog
from harness.errors import UserError
from harness.experiment import resolve
from harness.training.build import open_dataset
from harness.training.loop import Training
from harness.training.open_run import OpenRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder
from harness.training.runtime import FabricRuntime, launch
from harness.training.watching import Unwatched


def training(catalog: Catalog, runtime: FabricRuntime, case: str, folder: Path, steps: int) -> Training:
    recipe, dataset, *accompanied = case.split("@")
    given: dict[str, Any] = SHORT | {"steps": steps, "checkpoint_every": 1} | (COMPANIONS if accompanied else {})
    given |= {name: {**value, "steps": steps} for name, value in short_stages(catalog, recipe, dataset).items()}
    experiment = resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, scale="tiny", overrides=given)
    where = RunFolder(folder)
    if runtime.rank == 0:
        where.create(experiment.record())
    runtime.barrier()
    data = open_dataset(catalog, experiment, folder)
    run = OpenRun(catalog, experiment, data, where, runtime.device, Reporter(quiet=True), experiment.digest())
    return Training(run, runtime, Unwatched())


def gradients(made: Training) -> dict[str, torch.Tensor]:
    """By stage and name of the loss its first gradient, flat, a step of lazy regularisation apart.

    Beside them, by name, every tensor of floats that the method declares; `made` is of no further use.
    """
    found: dict[str, torch.Tensor] = {}
    average, minimize, names = made.runtime.average, made.ctx.minimize, []

    def noted(of_all: Any, parameters: Any) -> Any:
        result = average(of_all, parameters)
        present = [torch.zeros_like(p) if g is None else g for g, p in zip(result, parameters, strict=True)]
        key = f"{made.ctx.stage}/{names.pop(0)}"
        found.setdefault(key, torch.cat([g.detach().flatten() for g in present]))
        return result

    def named(*, reach_all: bool = False, **pairs: Any) -> None:
        names.extend(f"{name}/lazy" if reach_all else name for name in pairs)
        minimize(reach_all=reach_all, **pairs)

    made.runtime.average = noted  # type: ignore[method-assign]
    made.ctx.minimize = named  # type: ignore[method-assign]
    for value in made.method.state().values():
        if isinstance(value, torch.optim.Optimizer):
            value.step = lambda: None  # type: ignore[assignment,misc]
    made.run(resume=False)
    tensors = {name: value for name, value in made.method.state().items() if isinstance(value, torch.Tensor)}
    return found | {name: value.flatten() for name, value in tensors.items() if value.is_floating_point()}


def main(folder: Path, processes: int, cases: list[str]) -> None:
    launched = launch("cpu", "32-true", processes)
    catalog, found, trained = with_stand_ins(), {}, {}
    for number, case in enumerate(cases):
        runtime = copy(launched)  # what is noted of one case's averages is not of the next one's
        found[case] = gradients(training(catalog, runtime, case, folder / f"g{processes}-{number}", 1))
        if processes > 1 and f"{case}@accompanied" not in cases:  # with companions more is held in step, not less
            try:
                training(catalog, copy(launched), case, folder / f"t{processes}-{number}", 3).run(resume=False)
                trained[case] = "finished"
            except UserError as error:
                trained[case] = str(error)
    if launched.rank == 0:
        torch.save(found, folder / f"gradients-{processes}.pt")
        (folder / f"trained-{processes}.json").write_text(json.dumps(trained))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
