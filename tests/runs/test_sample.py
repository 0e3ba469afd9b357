"""Samples of a run need its checkpoints alone, and are the ones that are measured."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from image_files import write_images
from opening import CPU
from PIL import Image
from trained_runs import trained_run

from harness.catalog import Catalog
from harness.errors import SettingsError
from harness.evaluation import Bench, GeneratedSet
from harness.runs import sample_run
from harness.runs.score_again import Opener
from harness.runs.stored_run import Restored, StoredRun
from harness.training.reporting import Reporter
from harness.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def points(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is told no class."""
    return trained_run(catalog, tmp_path_factory.mktemp("runs") / "points", evaluate=False)


@pytest.fixture(scope="module")
def images(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is told one of ten classes."""
    return trained_run(catalog, tmp_path_factory.mktemp("runs") / "images", "digits", evaluate=False)


@pytest.fixture
def arrays(catalog: Catalog, tmp_path: Path) -> Any:
    """The arrays that are drawn from a run."""

    def drawn(run: Path, count: int, **options: Any) -> dict[str, np.ndarray]:
        out = tmp_path / "drawn.npz"
        assert sample_run(catalog, run, out, count=count, device="cpu", **options) == count
        with np.load(out) as stored:
            return dict(stored)

    return drawn


def test_points_are_floats_and_the_ones_that_are_measured(catalog: Catalog, points: Path, arrays: Any) -> None:
    found = arrays(points, 130)
    assert list(found) == ["arr_0"]
    assert (found["arr_0"].shape, found["arr_0"].dtype) == ((130, 2), np.float32)
    stored = StoredRun.open(catalog, RunFolder(points))
    scored = Opener(catalog, stored, Reporter(quiet=True), None, CPU).scored("last", {})
    trained = scored.restored.method.trained()
    bench = Bench(trained, scored.run.dataset, catalog, stored.experiment.seed, "cpu")
    settings = stored.experiment.settings.evaluation
    measured = bench.get(GeneratedSet(130, settings.block, settings.batch_norm))
    assert np.array_equal(found["arr_0"], measured.images.numpy())


def test_images_are_bytes_with_channels_last_and_their_classes(images: Path, arrays: Any) -> None:
    found = arrays(images, 60)
    assert (found["arr_0"].shape, found["arr_0"].dtype) == ((60, 8, 8, 1), np.uint8)
    assert found["labels"].dtype == np.int64
    assert set(found["labels"]) <= set(range(10))
    fewer = arrays(images, 7)
    assert all(np.array_equal(fewer[name], found[name][:7]) for name in ("arr_0", "labels"))


def test_classes_are_cycled_through(images: Path, arrays: Any) -> None:
    assert arrays(images, 5, classes=[3, 7])["labels"].tolist() == [3, 7, 3, 7, 3]
    assert arrays(images, 2, classes=[9, 0, 4])["labels"].tolist() == [9, 0]


def test_another_seed_or_checkpoint_gives_other_samples(points: Path, arrays: Any) -> None:
    own = arrays(points, 20)["arr_0"]
    assert np.array_equal(arrays(points, 20, seed=0, checkpoint="4")["arr_0"], own)
    assert not np.array_equal(arrays(points, 20, seed=1)["arr_0"], own)
    assert not np.array_equal(arrays(points, 20, checkpoint="2")["arr_0"], own)


@pytest.mark.parametrize(("columns", "rows_by_columns"), [(3, (2, 3)), (10, (1, 4))])
def test_a_picture_shows_the_same_samples_side_by_side(
    catalog: Catalog, images: Path, arrays: Any, tmp_path: Path, columns: int, rows_by_columns: tuple[int, int]
) -> None:
    pixels = arrays(images, 4)["arr_0"][..., 0].repeat(4, axis=1).repeat(4, axis=2)  # small images are enlarged
    sample_run(catalog, images, tmp_path / "grid.png", count=4, columns=columns, device="cpu")
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    rows, across = rows_by_columns
    assert sheet.shape == (rows * 34 + 2, across * 34 + 2)
    for number, image in enumerate(pixels):
        top, left = (number // across) * 34 + 2, (number % across) * 34 + 2
        assert np.array_equal(sheet[top : top + 32, left : left + 32], image)


def test_a_picture_of_points_is_a_plot(catalog: Catalog, points: Path, tmp_path: Path) -> None:
    sample_run(catalog, points, tmp_path / "plot.png", count=4, device="cpu")
    assert Image.open(tmp_path / "plot.png").size == (600, 600)


def test_the_data_may_be_gone(catalog: Catalog, tmp_path: Path, arrays: Any) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (12, 1, 8, 8), dtype=np.uint8)
    data = write_images(tmp_path / "data", grey)
    run = trained_run(
        catalog, tmp_path / "run", f"folder:{data}", evaluate=False, steps=1, batch_size=4, conditional=False
    )
    shutil.rmtree(data)
    assert len(arrays(run, 3)["arr_0"]) == 3


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        ("x.npz", {"count": 0}, "--count must be at least 1 and at most 10,000,000, not 0"),
        ("x.npz", {"count": 10_000_001}, "at most 10,000,000, not 10000001"),
        ("x.jpg", {}, r"cannot tell the format of .*x\.jpg; end it in .png or .npz"),
        ("folder.npz", {}, r"cannot write .*folder\.npz; name a file in a folder that exists"),
        ("absent/x.npz", {}, r"cannot write .*absent/x\.npz; name a file in a folder that exists"),
        ("x.png", {"columns": 0}, "a grid needs at least one column, not 0"),
        ("x.npz", {"classes": []}, "no class is named; name some, or leave --classes out"),
        ("x.npz", {"classes": [3, 10]}, "no class 10; classes are 0 to 9"),
        ("x.npz", {"classes": [-1]}, "no class -1; classes are 0 to 9"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_leaves_no_file(
    catalog: Catalog, images: Path, tmp_path: Path, out: str, options: dict[str, Any], said: str
) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(SettingsError, match=said) as refusal:
        sample_run(catalog, images, tmp_path / out, **{"count": 4, "device": "cpu"} | options)
    assert "\n" not in str(refusal.value)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.npz"]


def test_a_run_that_is_told_no_class_cannot_be_asked_for_one(catalog: Catalog, points: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is unconditional: it cannot be asked for classes; leave --classes out"):
        sample_run(catalog, points, tmp_path / "x.npz", count=1, classes=[1], device="cpu")


def test_a_method_that_cannot_sample_is_named(
    catalog: Catalog, points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Restored(SimpleNamespace(trained=object), "last", {})
    monkeypatch.setattr(StoredRun, "restored", lambda *arguments: nothing)
    with pytest.raises(SettingsError, match="method 'gan' cannot sample"):
        sample_run(catalog, points, tmp_path / "x.npz", count=1, device="cpu")
