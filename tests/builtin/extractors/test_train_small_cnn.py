from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.builtin.extractors import train_small_cnn
from harness.builtin.extractors.small_cnn import load_digits_cnn
from harness.builtin.extractors.train_small_cnn import TRAININGS, shifted


def test_the_script_trains_saves_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = replace(TRAININGS["digits-cnn"], epochs=2)
    monkeypatch.setitem(TRAININGS, "digits-cnn", short)
    out = tmp_path / "net.pt"
    monkeypatch.setattr(sys, "argv", ["train_small_cnn", "digits-cnn", "--out", str(out)])
    train_small_cnn.main()
    said = capsys.readouterr().out
    assert "of 360 test images right" in said
    share = float(said.split("%")[0].split("\n")[-1])
    assert share > 50
    logits = load_digits_cnn(out, torch.device("cpu"))(torch.zeros(1, 1, 8, 8, dtype=torch.uint8))["logits"]
    assert logits.shape == (1, 10)


def test_shifting_moves_each_image_by_its_own_offset() -> None:
    images = torch.zeros(2, 1, 3, 3)
    images[:, 0, 1, 1] = 1.0
    moved = shifted(images, np.array([[1, 0], [0, -1]]))
    # the window moves down or left, so that the content moves up or right
    assert moved[0, 0].argmax() == 1
    assert moved[1, 0].argmax() == 5
    assert float(moved.sum()) == 2.0
