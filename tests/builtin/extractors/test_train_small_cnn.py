from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import write_images

from harness.builtin.extractors import train_small_cnn
from harness.builtin.extractors.cifar10_cnn import Cifar10Cnn
from harness.builtin.extractors.small_cnn import load_digits_cnn
from harness.builtin.extractors.train_small_cnn import TRAININGS, accuracy, mirrored, shifted, train
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.evaluation.feature_networks.weights import weights_sha256

CPU = torch.device("cpu")


def test_the_script_trains_saves_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = replace(TRAININGS["digits-cnn"], epochs=2)
    monkeypatch.setitem(TRAININGS, "digits-cnn", short)
    out = tmp_path / "net.pt"
    train_small_cnn.main(["digits-cnn", "--out", str(out)])
    said = capsys.readouterr().out
    assert "of 360 test images right" in said
    share = float(said.split("%")[0].split("\n")[-1])
    assert share > 50
    logits = load_digits_cnn(out, CPU)(torch.zeros(1, 1, 8, 8, dtype=torch.uint8))["logits"]
    assert logits.shape == (1, 10)


# -- weights that ship with no package -------------------------------------------------------------------


def colours(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images uint8 [count, 3, 32, 32] of ten classes, each with a colour of its own, and their classes."""
    draw = np.random.default_rng(seed)
    levels = np.stack(np.meshgrid([60, 190], [60, 190], [40, 125, 210]), -1).reshape(-1, 3)[:10]
    labels = np.arange(count) % 10
    values = levels[labels][:, :, None, None] + draw.normal(0, 30, (count, 3, 32, 32))
    return values.clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of coloured images for training and test."""
    folder = tmp_path_factory.mktemp("colours")
    for split, count in (("train", 400), ("test", 100)):
        write_images(folder / split, *colours(count, count))
    return folder


@pytest.fixture
def weights(made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where weights go; the training of `cifar10-cnn` is a short one of a narrow network on the made-up images."""
    short = replace(
        TRAININGS["cifar10-cnn"], dataset=f"folder:{made_up}", build=partial(Cifar10Cnn, 8), epochs=8, batch=40
    )
    monkeypatch.setitem(TRAININGS, "cifar10-cnn", short)
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    return tmp_path


def test_what_is_trained_lies_where_it_belongs_with_its_checksum_and_is_right(
    weights: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    train_small_cnn.main(["cifar10-cnn", "--device", "cpu"])
    path = weights / "cifar10-cnn" / "cifar10-cnn.pt"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = json.loads(path.with_name("cifar10-cnn.pt.json").read_text())
    assert record["sha256"] == digest == weights_sha256(catalog.extractor("cifar10-cnn"))
    assert f"sha256 {digest}" in capsys.readouterr().out

    values, labels = colours(100, 100)
    answers = open_extractor(catalog, "cifar10-cnn", CPU)(torch.from_numpy(values))["logits"].argmax(1)
    share = float((answers == torch.from_numpy(labels)).double().mean())
    assert share >= 0.97
    assert share == record["made"]["test_accuracy"]
    assert record["summary"] == f"{share:.2%} of 100 test images right"
    assert {"train_checksum", "epochs", "torch"} <= set(record["made"])

    # another file in its place is never opened, and what is there is not written over
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(EvaluationError, match="are not those made on this machine: its SHA-256 is"):
        open_extractor(catalog, "cifar10-cnn", CPU)
    with pytest.raises(SystemExit) as stopped:
        train_small_cnn.main(["cifar10-cnn"])
    assert stopped.value.code == 2
    assert f"{path} is there already; delete it" in capsys.readouterr().err


def test_a_network_is_trained_to_know_what_it_was_shown_and_left_in_eval_mode() -> None:
    training = replace(TRAININGS["cifar10-cnn"], build=partial(Cifar10Cnn, 8), epochs=8, batch=40)
    values, labels = (torch.from_numpy(array) for array in colours(400, 1))
    network = train(training, values, labels)
    assert not network.training
    assert accuracy(network, training, values, labels) >= 0.97
    assert accuracy(network, training, values, labels.roll(1)) <= 0.03


def test_shipped_weights_have_no_place_but_the_one_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        train_small_cnn.main(["mnist-cnn"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: weights of 'mnist-cnn' ship with a package; give --out FILE\n"


def test_data_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        train_small_cnn.main(["cifar10-cnn", "--data-root", str(tmp_path / "none")])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "harness data fetch cifar10" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "cifar10-cnn").exists()


# -- how training images are changed ---------------------------------------------------------------------


def test_shifting_moves_each_image_by_its_own_offset() -> None:
    images = torch.zeros(2, 1, 3, 3)
    images[:, 0, 1, 1] = 1.0
    moved = shifted(images, np.array([[1, 0], [0, -1]]))
    # the window moves down or left, so that the content moves up or right
    assert moved[0, 0].argmax() == 1
    assert moved[1, 0].argmax() == 5
    assert float(moved.sum()) == 2.0


def test_mirroring_turns_the_chosen_images_left_to_right() -> None:
    images = torch.arange(12.0).reshape(2, 1, 2, 3)
    found = mirrored(images, np.array([False, True]))
    assert torch.equal(found[0], images[0])
    assert found[1, 0].tolist() == [[8.0, 7.0, 6.0], [11.0, 10.0, 9.0]]
