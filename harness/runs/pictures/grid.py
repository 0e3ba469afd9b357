"""Pictures of samples: a grid of images (a column for each class), or a scatter plot of points."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.contracts.capabilities import conditions_of
from harness.data import LoadedDataset
from harness.evaluation.sampling.quantise import rounded
from harness.experiment import Experiment
from harness.runs.pictures.draw import draw
from harness.runs.pictures.save import write_picture

ROWS, COLUMNS = 8, 10
POINTS = 2000

#: small images are enlarged to about this many pixels a side, so that a person can see them
READABLE = 32


def draw_samples(trained: Any, dataset: LoadedDataset, experiment: Experiment, path: Path) -> None:
    """Write a PNG of samples 0, 1, ... of the run.

    :param trained: a sampler. Where it is told conditions, column c holds condition c (the first ten).
    """
    evaluation = experiment.settings.evaluation
    if dataset.spec.kind == "points":
        samples = draw(trained, POINTS, experiment.seed, evaluation)
        write_picture(path, scatter_png(samples.images, dataset.finite("train").values[:POINTS]))
        return
    conditions = None
    classes = min(COLUMNS, conditions_of(trained))
    if classes:
        conditions = torch.arange(ROWS * classes) % classes
    count = ROWS * COLUMNS if conditions is None else len(conditions)
    samples = draw(trained, count, experiment.seed, evaluation, conditions)
    write_picture(path, grid_png(samples.images, count // ROWS))


def grid_png(images: Tensor, columns: int) -> bytes:
    """Images [N, C, H, W] in [-1, 1] side by side, with a line between them."""
    from PIL import Image

    pixels = rounded(images.float()).cpu().numpy()
    scale = max(1, READABLE // pixels.shape[-1])
    pixels = pixels.repeat(scale, axis=2).repeat(scale, axis=3)
    n, channels, height, width = pixels.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + 2) + 2, columns * (width + 2) + 2, channels), 128, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = (i // columns) * (height + 2) + 2, (i % columns) * (width + 2) + 2
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    buffer = io.BytesIO()
    Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet).save(buffer, format="PNG")
    return buffer.getvalue()


def scatter_png(generated: Tensor, real: np.ndarray) -> bytes:
    """The first two coordinates of generated over real points, both [N, D]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.scatter(real[:, 0], real[:, 1], s=4, color="0.7", label="real", rasterized=True)
    points = generated.cpu().numpy()
    axes.scatter(points[:, 0], points[:, 1], s=3, color="tab:blue", label="generated", rasterized=True)
    axes.set_aspect("equal")
    axes.legend(loc="upper right", markerscale=3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
