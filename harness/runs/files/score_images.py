"""Score images that lie in files against real ones, without a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split
from harness.data.files import data_root
from harness.data.fit import check_fit
from harness.devices import choose_device
from harness.errors import EvaluationError, SettingsError
from harness.evaluation import evaluate
from harness.evaluation.evidence.images_in_files import StoredImages
from harness.evaluation.reference_statistics.npz_file import StatisticsFile, read_statistics
from harness.metric_settings import checked
from harness.overrides import validated
from harness.results.environment import describe_environment
from harness.results.evaluation_record import EvaluationRecord, ImageSource, StatisticsSource
from harness.results.record import write_record_file
from harness.runs.files.source import aligned, has_statistics, image_source, is_statistics, whole
from harness.runs.pictures.save import figures_in, made_folder
from harness.training.reporting import Reporter


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
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Score `generated` against `real`: each a folder, an archive, an npz file or a data set's name.

    :param real: may also be an npz of statistics; None measures what needs nothing real.
    :param overrides: evaluation settings.
    :param generated_split: which split of the generated images, where they are divided.
    :param fit: how real images are made as large as the generated ones: none, pad, resize, or crop:SIZE.
    :param root: the folder of all data sets.
    :param out: a folder for evaluation.json and figures; nothing is written without.
    :param reporter: takes what the user should know on the way.
    :returns: the record, as evaluation.schema.json describes it.
    :raises UserError: one line for whatever cannot be read or measured.
    """
    if out is not None:
        made_folder(out)  # before any work
    chosen = choose_device(device)
    folder = data_root(root)
    settings = checked(catalog, validated(EvaluationSettings, overrides or {}, "harness evaluate", "evaluation."))
    began = time.perf_counter()
    made = image_source(catalog, generated, folder)
    images = whole(made, generated_split)
    side = _real_side(catalog, real, folder)
    if side.dataset is not None:
        images = _beside(side.dataset, settings.splits, made.name, images, fit)
    else:
        _check_unused(side, fit, overrides or {})
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
        figures=None if out is None else figures_in(out / "figures"),
        note=(reporter or Reporter()).note,
    )
    if not entries:
        raise EvaluationError(
            "nothing can be measured of these images with this feature network and these real images",
            "give --real and --extractor (harness ls metrics says what each needs)",
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
        write_record_file(out / "evaluation.json", record)
    return record


def _real_side(catalog: Catalog, real: str | None, root: Path) -> RealSide:
    if real is None:
        return RealSide()
    statistics = read_statistics(Path(real).expanduser()) if has_statistics(real) else None
    return RealSide(None if is_statistics(real) else image_source(catalog, real, root), statistics)


def _beside(real: LoadedDataset, splits: tuple[str, ...], made: str, images: Split, fit: str) -> Split:
    """The generated images, their labels numbered as the real ones'; real images are made to fit, where that is asked.

    :raises UserError: where they still have another shape.
    """
    check_fit(fit)
    if fit != "none":
        real.fit_beside(fit, images.values.shape[3])
    for name in splits:
        _check_same_shape(made, images, f"{real.name} {name}", real.finite(name))
    return aligned(images, real.finite(splits[0]).classes)


def _check_same_shape(made: str, images: Split, name: str, real: Split) -> None:
    ours, theirs = (split.values.shape[1:] for split in (images, real))
    if ours == theirs:
        return
    fix = "make the real ones fit with --fit pad, --fit resize or --fit crop:SIZE, which is recorded"
    if ours[0] != theirs[0]:
        fix = "store both in grey or both in colour: no feature network is told which of them was changed"
    shown = ["x".join(map(str, shape)) for shape in (ours, theirs)]
    raise EvaluationError(
        f"generated images in {made} are {shown[0]} (channels, height, width), real ones in {name} {shown[1]}", fix
    )


def _check_unused(side: RealSide, fit: str, overrides: dict[str, Any]) -> None:
    """What is said of real images means nothing where there are none."""
    given = "a file of statistics" if side.statistics is not None else "nothing real"
    for option, unused in (("--fit", fit != "none"), ("--split", "split" in overrides)):
        if unused:
            raise SettingsError(f"{option} is about real images, but {given} is given", "leave it out")


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
    return [_described(dataset.name, split, dataset.finite(split)) for split in settings.splits]


def _described_statistics(file: StatisticsFile | None) -> StatisticsSource | None:
    return None if file is None else StatisticsSource(path=str(file.path), sha256=file.sha256, about=dict(file.about))
