"""Samples from a run, without its data: a picture, or arrays in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from harness.atomic import replacing
from harness.catalog import Catalog
from harness.contracts.capabilities import Sampler, conditions_of
from harness.devices import choose_device
from harness.errors import SettingsError
from harness.evaluation.sampling.quantise import rounded
from harness.runs.pictures.draw import draw
from harness.runs.pictures.grid import grid_png, scatter_png
from harness.runs.pictures.save import write_picture
from harness.runs.stored_run import StoredRun
from harness.training.run_folder import RunFolder

#: samples that are written at once
MOST = 10_000_000


def sample_run(
    catalog: Catalog,
    path: Path,
    out: Path,
    *,
    count: int,
    seed: int | None = None,
    classes: list[int] | None = None,
    checkpoint: str = "last",
    device: str = "auto",
    columns: int = 10,
) -> int:
    """Draw samples and write them to `out`.

    :param out: ``.png`` for a grid, ``.npz`` for arrays: ``arr_0`` uint8 [N, H, W, C] (or float32 points [N, D]) and
        ``labels`` int64 [N] where the generator is told a class.
    :param seed: of the samples; None for the run's own, which gives the samples that evaluation sees.
    :param classes: cycled through; only for a conditional run.
    :param columns: of the grid.
    :returns: the number of samples written.
    """
    if not 1 <= count <= MOST:
        raise SettingsError(f"--count must be at least 1 and at most {MOST:,}, not {count}")
    if columns < 1:
        raise SettingsError(f"a grid needs at least one column, not {columns}")
    if out.suffix not in (".png", ".npz"):
        raise SettingsError(f"cannot tell the format of {out}", "end it in .png or .npz")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise SettingsError(f"cannot write {out}", "name a file in a folder that exists")
    run = StoredRun.open(catalog, RunFolder(path))
    trained = run.restored(catalog, choose_device(device), checkpoint).method.trained()
    if not isinstance(trained, Sampler):
        raise SettingsError(f"method '{run.experiment.method}' cannot sample")
    conditions = _conditions(run, trained, classes, count)
    evaluation = run.experiment.settings.evaluation
    samples = draw(trained, count, run.experiment.seed if seed is None else seed, evaluation, conditions)
    if out.suffix == ".npz":
        _write_npz(out, samples.images.cpu(), samples.conditions)
    elif run.problem.kind == "points":
        write_picture(out, scatter_png(samples.images, np.empty((0, samples.images.shape[1]))))
    else:
        write_picture(out, grid_png(samples.images, min(columns, count)))
    return count


def _conditions(run: StoredRun, trained: object, classes: list[int] | None, count: int) -> torch.Tensor | None:
    if classes is None:
        return None
    known = conditions_of(trained)
    if not known:
        raise SettingsError(
            f"recipe '{run.experiment.recipe_id}' is unconditional: it cannot be asked for classes",
            "leave --classes out",
        )
    if not classes:
        raise SettingsError("no class is named", "name some, or leave --classes out")
    wrong = [c for c in classes if not 0 <= c < known]
    if wrong:
        raise SettingsError(f"no class {wrong[0]}", f"classes are 0 to {known - 1}")
    return torch.tensor(classes).repeat(-(-count // len(classes)))[:count]


def _write_npz(out: Path, images: torch.Tensor, conditions: torch.Tensor | None) -> None:
    stored = rounded(images).permute(0, 2, 3, 1) if images.ndim == 4 else images  # [N, H, W, C], or points [N, D]
    arrays = {"arr_0": stored.numpy()}
    if conditions is not None:
        arrays["labels"] = conditions.cpu().numpy()
    with replacing(out) as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]
