"""Statistics of a split are numpy's, and a file stands for them only where it says that it is of the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import write_images

from harness.catalog import Catalog
from harness.errors import EvaluationError, UserError
from harness.evaluation import Gaussian
from harness.evaluation.reference_statistics.npz_file import StatisticsFile, read_statistics
from harness.runs.files.split_statistics import RealStatistics, check_same, check_target, export_statistics

GREY = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
ROWS = GREY.reshape(40, 64) / 255.0


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def statistics(catalog: Catalog, tmp_path: Path) -> Callable[[str], RealStatistics]:
    """Of forty grey images on a feature network."""
    folder = str(write_images(tmp_path / "real", GREY))
    return lambda extractor: RealStatistics(catalog, folder, extractor, "train", device="cpu")


def exported(of: RealStatistics, path: Path) -> StatisticsFile:
    export_statistics(of.measure(), path)
    return read_statistics(path)


def changed(file: StatisticsFile, mean: float = 0.0, covariance: float = 0.0, **about: Any) -> StatisticsFile:
    """The file with one mean and one pair of covariances moved, or other things said of itself."""
    gaussian = file.gaussian
    moved, spread = gaussian.mean.clone(), gaussian.full_covariance().clone()
    moved[3] += mean
    spread[3, 5] += covariance
    spread[5, 3] += covariance
    return StatisticsFile(file.path, "0" * 64, Gaussian(moved, spread, None, gaussian.count), {**file.about, **about})


# -------------------------------------------------------------------------------------------------
# measured and written
# -------------------------------------------------------------------------------------------------


def test_they_are_those_of_numpy_and_say_what_they_are_of(
    statistics: Callable[[str], RealStatistics], tmp_path: Path
) -> None:
    measured = statistics("pixels").measure()
    assert measured.gaussian.mean.numpy() == pytest.approx(ROWS.mean(0), rel=1e-6)
    assert measured.gaussian.full_covariance().numpy() == pytest.approx(np.cov(ROWS, rowvar=False), abs=1e-7)
    assert measured.about.items() >= {
        "dataset": f"folder:{tmp_path}/real", "split": "train", "real_count": 40, "extractor": "pixels",
    }.items()  # fmt: skip


def test_an_exported_file_says_the_same_and_is_no_distance_away(
    statistics: Callable[[str], RealStatistics], tmp_path: Path
) -> None:
    of = statistics("pixels")
    file = exported(of, tmp_path / "new" / "file.npz")
    assert file.about == of.about()
    assert of.distance_to(file) < 1e-12
    check_same(file, of.about())


@pytest.mark.parametrize(
    ("mean", "covariance", "distance"), [(0.5, 0.0, 0.25), (-0.5, 0.1, 0.25), (0.1, -0.2, 0.2), (0.0, 0.3, 0.3)]
)
def test_the_distance_is_the_largest_squared_mean_or_covariance(
    statistics: Callable[[str], RealStatistics], tmp_path: Path, mean: float, covariance: float, distance: float
) -> None:
    of = statistics("pixels")
    file = changed(exported(of, tmp_path / "file.npz"), mean, covariance)
    assert of.distance_to(file) == pytest.approx(distance, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "split", "line"),
    [
        ("pixels", "tset", "unknown split of data set 'folder' 'tset'"),
        ("pixels", "test", "real has no test split"),
        ("mnist-cnn", "train", "takes 1x28x28 or 1x32x32 images, not 1x8x8"),
    ],
)
def test_a_split_or_a_network_that_is_not_for_these_images_is_refused_at_once(
    catalog: Catalog, tmp_path: Path, name: str, split: str, line: str
) -> None:
    folder = str(write_images(tmp_path / "real", GREY))
    with pytest.raises(UserError, match=line) as refusal:
        RealStatistics(catalog, folder, name, split, device="cpu")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["file.txt", "file", "folder.npz"])
def test_only_an_npz_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(EvaluationError, match=rf"a file that ends in \.npz, not to .*/{name}"):
        check_target(tmp_path / name)


def test_the_folder_of_a_file_is_made_where_it_can_be(tmp_path: Path) -> None:
    check_target(tmp_path / "a" / "b" / "file.npz")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to .*/file"):
        check_target(tmp_path / "file" / "x.npz")


# -------------------------------------------------------------------------------------------------
# held against the data, and taken over
# -------------------------------------------------------------------------------------------------


def said(**about: Any) -> StatisticsFile:
    return StatisticsFile(Path("f.npz"), "0" * 64, Gaussian(torch.zeros(1), torch.ones(1, 1), None, 5), about)


def test_the_first_thing_that_differs_is_named_and_names_may_differ() -> None:
    about = {"dataset": "a", "split": "train", "fit": "none", "real_count": 5}
    check_same(said(**about, version="more is said"), about)
    check_same(said(**about | {"dataset": "b", "split": "test"}), about)
    for changes, line in (
        ({"fit": "pad", "real_count": 4}, "fit is pad there, none here"),
        ({"real_count": 4}, "real_count is 4 there, 5 here"),
    ):
        with pytest.raises(EvaluationError, match=f"f.npz was made from something else: {line}"):
            check_same(said(**about | changes), about)
    with pytest.raises(EvaluationError, match="fit is None there, none here"):
        check_same(said(real_count=5), about)
    with pytest.raises(EvaluationError, match="does not say what it was made from; use it as it is with --real"):
        check_same(said(), about)


def test_statistics_that_are_taken_over_are_used_and_a_file_is_still_told_from_the_truth(
    statistics: Callable[[str], RealStatistics], tmp_path: Path
) -> None:
    of = statistics("digits-cnn")
    file = exported(of, tmp_path / "file.npz")
    for path in (tmp_path / "cache").rglob("*.npz"):  # what was kept on the way
        path.unlink()
    other = changed(file, mean=2.0)
    statistics("digits-cnn").take_over(other)
    later = statistics("digits-cnn")
    found = later.measure().gaussian
    assert torch.equal(found.mean, other.gaussian.mean)
    assert found.source == other.sha256
    assert later.distance_to(file) < 1e-9
    assert later.distance_to(other) == pytest.approx(4.0, rel=1e-6)


def test_what_cannot_be_taken_over_is_refused(statistics: Callable[[str], RealStatistics], tmp_path: Path) -> None:
    pixels, network = statistics("pixels"), statistics("digits-cnn")
    with pytest.raises(EvaluationError, match="statistics of extractor 'pixels' are not kept, since it takes no time"):
        pixels.take_over(exported(pixels, tmp_path / "pixels.npz"))
    with pytest.raises(EvaluationError, match=r"pixels\.npz was made from something else: extractor is pixels there"):
        network.take_over(read_statistics(tmp_path / "pixels.npz"))
    whole = exported(network, tmp_path / "network.npz")
    short = Gaussian(torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64), None, 40)
    few = StatisticsFile(whole.path, whole.sha256, short, whole.about)
    for ask in (network.take_over, network.distance_to):
        with pytest.raises(EvaluationError, match=r"network\.npz is of 3 features, not of 64"):
            ask(few)
