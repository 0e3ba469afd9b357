"""Score images that lie in files against real ones, without a run."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.atomic import replacing
from harness.catalog import Catalog
from harness.config import EvaluationSettings, validated
from harness.data import LoadedDataset, Split
from harness.data.files import data_root
from harness.errors import EvaluationError, SettingsError
from harness.evaluation import evaluate
from harness.evaluation.statistics_file import StatisticsFile, read_statistics
from harness.evaluation.stored import StoredImages
from harness.results.environment import describe_environment
from harness.results.evaluation_record import EvaluationRecord, ImageSource, StatisticsSource
from harness.runs.figures import figures_in
from harness.runs.image_sources import aligned, has_statistics, image_source, is_statistics, whole
from harness.training.devices import choose_device


@dataclass(frozen=True)
class RealSide:
    """What generated images are held against.

    :param dataset: real images, if any.
    :param statistics: what stands for them in Fréchet distances, if anything.
    """

    dataset: LoadedDataset | None = None
    statistics: StatisticsFile | None = None


def evaluate_images(
    catalog: Catalog,
    generated: str,
    real: str | None,
    *,
    overrides: dict[str, Any] | None = None,
    generated_split: str | None = None,
    fit: str = "none",
    root: Path | None = None,
    device: str = "auto",
    out: Path | None = None,
) -> dict[str, Any]:
    """Score `generated` against `real`: each a folder, an archive, an npz file or a data set's name.

    :param real: may also be an npz of statistics; None measures what needs nothing real.
    :param overrides: evaluation settings.
    :param generated_split: which split of the generated images, where they are divided.
    :param fit: how real images are made as large as the generated ones: none, pad, resize, or crop:SIZE.
    :param root: the folder of all data sets.
    :param out: a folder for evaluation.json and figures; nothing is written without.
    :returns: the record, as evaluation.schema.json describes it.
    :raises UserError: one line for whatever cannot be read or measured.
    """
    if out is not None and out.exists() and not out.is_dir():  # before any work
        raise SettingsError(f"--out {out} is a file, but a folder is written to")
    chosen = choose_device(device)
    folder = data_root(root)
    settings = validated(EvaluationSettings, overrides or {}, "harness evaluate", "evaluation.")
    began = time.perf_counter()
    made = image_source(catalog, generated, folder)
    images = whole(made, generated_split)
    side = _real_side(catalog, real, folder)
    if side.dataset is not None:
        wanted_split = "train" if settings.split == "both" else settings.split
        wanted = side.dataset.finite(wanted_split)
        if fit != "none":
            side.dataset.fit_beside(fit, images.values.shape[3])
            wanted = side.dataset.finite(wanted_split)
        _check_same_shape(made.name, images, side.dataset.name, wanted)
        images = aligned(images, wanted.classes)
    entries = evaluate(
        StoredImages(images, {"generated": made.name}),
        dataset=side.dataset or made,
        settings=settings,
        catalog=catalog,
        seed=0,
        device=chosen,
        replicate={},
        has_real=side.dataset is not None,
        imported=side.statistics,
        figures=figures_in(out),
    )
    record = EvaluationRecord(
        generated=_described(made.name, generated_split or "train", images),
        real=_described_real(side.dataset, settings),
        statistics=_described_statistics(side.statistics),
        settings=settings.model_dump(mode="json"),
        environment=describe_environment(chosen),
        seconds=round(time.perf_counter() - began, 3),
        metrics=entries,
    ).model_dump(mode="json")
    if out is not None:
        _write(out / "evaluation.json", record)
    return record


def _real_side(catalog: Catalog, real: str | None, root: Path) -> RealSide:
    if real is None:
        return RealSide()
    statistics = read_statistics(Path(real).expanduser()) if has_statistics(real) else None
    return RealSide(None if is_statistics(real) else image_source(catalog, real, root), statistics)


def _check_same_shape(made: str, images: Split, name: str, real: Split) -> None:
    ours, theirs = ("x".join(map(str, split.values.shape[1:])) for split in (images, real))
    if ours != theirs:
        raise EvaluationError(
            f"generated images in {made} are {ours} (channels, height, width), real ones in {name} {theirs}",
            "make the real ones fit with --fit pad, --fit resize or --fit crop:SIZE, which is recorded",
        )


def _described(name: str, split: str, images: Split) -> ImageSource:
    return ImageSource(
        source=name,
        split=split,
        items=len(images),
        shape=list(images.values.shape[1:]),
        classes=len(images.classes),
        checksum=images.checksum,
        notes=dict(images.notes),
    )


def _described_real(dataset: LoadedDataset | None, settings: EvaluationSettings) -> list[ImageSource]:
    if dataset is None:
        return []
    splits = ("train", "test") if settings.split == "both" else (settings.split,)
    return [_described(dataset.name, split, dataset.finite(split)) for split in splits]


def _described_statistics(file: StatisticsFile | None) -> StatisticsSource | None:
    return None if file is None else StatisticsSource(path=str(file.path), sha256=file.sha256, about=dict(file.about))


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, "w") as handle:
        handle.write(json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
