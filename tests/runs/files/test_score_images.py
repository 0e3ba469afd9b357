"""Images in files are held against real ones, and the record says which against which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cleanfid.fid import frechet_distance as published
from image_files import write_images

from harness.builtin.extractors.pixels import Pixels
from harness.catalog import Catalog
from harness.errors import EvaluationError, SettingsError, UserError
from harness.runs import evaluate_images

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (60, 1, 4, 4), dtype=np.uint8)
LARGE = RANDOM.integers(0, 256, (30, 1, 6, 6), dtype=np.uint8)
FD = {"extractors": ["pixels"], "metrics": ["fd"]}

Scored = Callable[..., dict[str, Any]]


def moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = images.reshape(len(images), -1) / 255.0
    return rows.mean(0), np.cov(rows, rowvar=False)


@pytest.fixture
def score(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scored:
    """Score by a short name: 20 made and 40 real grey images of 4x4, larger ones, coloured ones, statistics."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "made", GREY[:20])
    write_images(tmp_path / "real", GREY[20:])
    write_images(tmp_path / "large", LARGE)
    write_images(tmp_path / "coloured", GREY[20:].repeat(3, axis=1))
    mean, covariance = moments(GREY[20:])
    np.savez(tmp_path / "statistics.npz", mu=mean, sigma=covariance)

    def scored(generated: str = "made", real: str | None = "real", **options: Any) -> dict[str, Any]:
        return evaluate_images(catalog, generated, real, **{"overrides": FD, "device": "cpu"} | options)

    return scored


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each call of the feature network was handed."""
    seen: list[int] = []
    look = Pixels.__call__
    monkeypatch.setattr(Pixels, "__call__", lambda self, x: (seen.append(len(x)), look(self, x))[1])
    return seen


def test_the_distance_is_the_published_one_and_both_sides_are_described(score: Scored, tmp_path: Path) -> None:
    record = score()
    (entry,) = record["metrics"]
    assert entry["value"] == pytest.approx(published(*moments(GREY[:20]), *moments(GREY[20:])), rel=1e-5)
    assert entry["subject"] == {"generated": f"folder:{tmp_path}/made"}
    (real,) = record["real"]
    sides = [(side["source"], side["split"], side["items"], side["shape"]) for side in (record["generated"], real)]
    assert sides == [
        (f"folder:{tmp_path}/made", "train", 20, [1, 4, 4]),
        (f"folder:{tmp_path}/real", "train", 40, [1, 4, 4]),
    ]
    assert record["generated"]["checksum"] != real["checksum"] == entry["protocol"]["real_checksum"]
    assert record["settings"]["metrics"] == ["fd"]


def test_statistics_stand_for_the_real_images_and_are_known_by_their_bytes(score: Scored, tmp_path: Path) -> None:
    file = tmp_path / "statistics.npz"
    record = score(real="statistics.npz")
    assert record["metrics"][0]["value"] == pytest.approx(score()["metrics"][0]["value"], rel=1e-5)
    assert record["real"] == []
    assert record["statistics"] == {
        "path": "statistics.npz",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "about": {},
    }


def test_larger_real_images_are_made_to_fit_only_where_that_is_asked(score: Scored) -> None:
    with pytest.raises(EvaluationError, match="made are 1x4x4 .*, real ones in .*large train 1x6x6; .* with --fit pad"):
        score(real="large")
    record = score(real="large", fit="crop:4")
    assert record["real"][0]["shape"] == [1, 4, 4]
    cropped = LARGE[:, :, 1:5, 1:5]
    assert record["metrics"][0]["value"] == pytest.approx(published(*moments(GREY[:20]), *moments(cropped)), rel=1e-5)


def test_no_fit_makes_colour_of_grey(score: Scored) -> None:
    with pytest.raises(EvaluationError, match="made are 1x4x4 .*coloured train 3x4x4; store both in grey or both in"):
        score(real="coloured", fit="resize")


@pytest.mark.parametrize(("real", "given"), [(None, "nothing real"), ("statistics.npz", "a file of statistics")])
@pytest.mark.parametrize(
    ("option", "options"), [("--fit", {"fit": "pad"}), ("--split", {"overrides": FD | {"split": "train"}})]
)
def test_what_is_about_real_images_is_refused_where_there_are_none(
    score: Scored, real: str | None, given: str, option: str, options: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match=f"{option} is about real images, but {given} is given; leave it out"):
        score(real=real, **options)


def test_where_nothing_can_be_measured_it_is_said_what_to_give(score: Scored) -> None:
    with pytest.raises(EvaluationError, match="nothing can be measured of these .*; give --real and --extractor"):
        score(real=None, overrides={"extractors": ["pixels"]})


def test_the_record_is_written_where_a_folder_is_given_and_nothing_without(score: Scored, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    score()
    assert set(tmp_path.rglob("*")) == before
    record = score(out=tmp_path / "new/folder")
    assert json.loads((tmp_path / "new/folder/evaluation.json").read_text()) == record


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(
    score: Scored, tmp_path: Path, looked_at: list[int]
) -> None:
    for out in (tmp_path / "statistics.npz", tmp_path / "statistics.npz/below"):
        with pytest.raises(UserError, match="cannot write to .*; name a folder that can be made"):
            score(out=out)
    assert looked_at == []
    score()
    assert sum(looked_at) > 0
