"""``harness sample`` draws the samples that are measured, without the data, and refuses what it cannot draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typed_runs import IMAGES


def test_samples_need_no_data_and_are_the_ones_that_are_measured(harness: Any, tmp_path: Path) -> None:
    assert harness("train", *IMAGES, "--out", "a").code == 0
    assert harness("sample", "a", "--count", 30, "--out", "x.npz").code == 0
    assert harness("sample", "a", "--count", 12, "--out", "y.npz").code == 0
    x, y = np.load("x.npz"), np.load("y.npz")
    assert x["arr_0"].shape == (30, 8, 8, 1)
    assert x["arr_0"].dtype == np.uint8
    assert np.array_equal(x["arr_0"][:12], y["arr_0"])
    assert harness("sample", "a", "--count", 6, "--classes", "3,7", "--out", "z.npz").code == 0
    assert np.load("z.npz")["labels"].tolist() == [3, 7, 3, 7, 3, 7]
    assert harness("sample", "a", "--out", "grid.png").code == 0
    assert Image.open("grid.png").mode == "L"


def test_mistakes_in_sampling(refused: Any, finished: Path) -> None:
    assert "unconditional" in refused("sample", finished, "--classes", "1")
    assert "at least 1" in refused("sample", finished, "--count", "0")
    assert "end it in .png or .npz" in refused("sample", finished, "--out", "x.jpg")
    assert "folder that exists" in refused("sample", finished, "--out", "absent/x.png")


@pytest.mark.parametrize("classes", ["", "x", "1,", "1.5", "0,,1", "1;2"])
def test_classes_that_are_no_numbers_are_refused(refused: Any, classes: str) -> None:
    said = refused("sample", "nowhere", "--classes", classes)
    assert said == f"error: --classes takes whole numbers with commas between them, not '{classes}'"


def test_the_seed_of_the_samples_is_the_runs_own_unless_another_is_given(harness: Any, finished: Path) -> None:
    drawn = {}
    for name, words in {"own": (), "same": ("--seed", 0), "other": ("--seed", 1)}.items():
        code, out, err = harness("sample", finished, "--count", 7, "--out", f"{name}.npz", *words)
        assert code == 0, err
        assert out == f"7 samples in {name}.npz\n"
        drawn[name] = np.load(f"{name}.npz")["arr_0"]
    assert np.array_equal(drawn["own"], drawn["same"])
    assert not np.array_equal(drawn["own"], drawn["other"])


def test_samples_are_of_the_checkpoint_that_is_named(harness: Any, refused: Any, finished: Path) -> None:
    for checkpoint in ("last", "6", "4"):
        assert harness("sample", finished, "-n", 5, "--checkpoint", checkpoint, "--out", f"{checkpoint}.npz").code == 0
    last, six, four = (np.load(f"{checkpoint}.npz")["arr_0"] for checkpoint in ("last", "6", "4"))
    assert np.array_equal(last, six)
    assert not np.array_equal(last, four)
    assert "no checkpoint '5'" in refused("sample", finished, "--checkpoint", "5")


def test_a_picture_of_80_is_drawn_where_nothing_else_is_said(harness: Any, finished: Path, tmp_path: Path) -> None:
    assert harness("sample", finished).out == "80 samples in samples.png\n"
    assert Image.open(tmp_path / "samples.png").format == "PNG"
