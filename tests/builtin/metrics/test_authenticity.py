from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.distance import cdist

from harness.builtin.metrics.authenticity import authentic, authenticity
from harness.builtin.metrics.nearest import nearest
from harness.data import Split
from harness.evaluation import Value
from harness.evaluation.evidence.image_sets import order_of


def drawn(count: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 5)))


def measured(generated: torch.Tensor, training: torch.Tensor, held_out: torch.Tensor) -> Value:
    images = np.zeros((len(training), 1, 8, 8), dtype=np.uint8)
    return authenticity(
        "near",
        generated=generated,
        training=training,
        held_out=held_out,
        pictures=torch.zeros(2, 1, 8, 8, dtype=torch.uint8),
        training_images=Split(images, None, ()),
    )["authenticity_pct"]


def test_it_is_the_definition_of_the_paper() -> None:
    samples, training = drawn(80, 1), drawn(60, 2)
    between, within = cdist(samples, training), cdist(training, training)
    np.fill_diagonal(within, np.inf)
    owner = between.argmin(1)
    expected = between.min(1) > within.min(1)[owner]
    found = authentic(nearest(samples, training, 1), training)
    assert found.tolist() == expected.tolist()
    assert 0.1 < expected.mean() < 0.9


def test_copies_are_not_authentic_and_raise_the_alarm() -> None:
    training = drawn(400, 0)
    found = measured(training[:200], training, drawn(200, 3))
    assert found.value == 0.0
    assert found.remark is not None
    assert "nearer to training images than held-out images" in found.remark


def test_copies_with_a_little_noise_are_not_authentic_either() -> None:
    training = drawn(400, 0)
    assert measured(training[:200] + 1e-3 * drawn(200, 1), training, drawn(200, 3)).value == 0.0


def test_copies_of_a_training_image_that_occurs_twice_are_not_authentic() -> None:
    training = drawn(100, 0)
    assert measured(training, torch.cat([training, training]), drawn(50, 3)).value == 0.0


def test_fresh_points_of_the_same_law_are_as_authentic_as_held_out_ones() -> None:
    found = measured(drawn(300, 7), drawn(400, 0), drawn(300, 3))
    assert found.remark is None
    assert found.value == pytest.approx(found.details["held_out_pct"], abs=10)
    assert found.std_error == pytest.approx(100 * (found.value / 100 * (1 - found.value / 100) / 300) ** 0.5)


def test_points_far_from_all_training_points_are_authentic() -> None:
    assert measured(drawn(50, 1) + 100, drawn(100, 0), drawn(50, 3)).value == 100.0


def test_the_picture_shows_the_training_images_in_the_order_of_their_features() -> None:
    training = torch.arange(20, dtype=torch.float64)[:, None] * 1.0
    stored = np.empty((20, 1, 32, 32), dtype=np.uint8)
    stored[order_of(20)] = 10 * np.arange(20)[:, None, None, None]  # image k of the order has the grey level 10 k
    found = authenticity(
        "near",
        generated=torch.tensor([[7.1], [12.1]], dtype=torch.float64),
        training=training,
        held_out=training + 0.3,
        pictures=torch.full((2, 1, 32, 32), 255, dtype=torch.uint8),
        training_images=Split(stored, None, ()),
    )["authenticity_pct"]
    shown = np.asarray(Image.open(io.BytesIO(found.figures["near"])))
    levels = [[int(shown[row, 42 + 34 * place]) for place in range(5)] for row in (0, 34)]
    assert levels == [[70, 80, 60, 90, 50], [120, 130, 110, 140, 100]]


def test_the_picture_is_right_where_fewer_images_have_features_than_there_are() -> None:
    """With a fold, as many training images are used as every fold has; the order is that of all."""
    stored = np.empty((21, 1, 32, 32), dtype=np.uint8)
    stored[order_of(21)] = 10 * np.arange(21)[:, None, None, None]
    training = torch.arange(20, dtype=torch.float64)[:, None] * 1.0
    found = authenticity(
        "near",
        generated=torch.tensor([[7.1]], dtype=torch.float64),
        training=training,
        held_out=training + 0.3,
        pictures=torch.full((1, 1, 32, 32), 255, dtype=torch.uint8),
        training_images=Split(stored, None, ()),
    )["authenticity_pct"]
    shown = np.asarray(Image.open(io.BytesIO(found.figures["near"])))
    assert [int(shown[0, 42 + 34 * place]) for place in range(5)] == [70, 80, 60, 90, 50]
