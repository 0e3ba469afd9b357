from __future__ import annotations

import numpy as np
import pytest

from harness.data import Split
from harness.doctor.disturbances import blurred, compressed, fewer_modes, noisy, shuffled_labels
from harness.randomness import keyed


@pytest.fixture
def images() -> np.ndarray:
    return keyed("test images").integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)


@pytest.fixture
def split(images: np.ndarray) -> Split:
    return Split(images, np.arange(40, dtype=np.int64) % 10, tuple("0123456789"))


def test_noise_has_the_spread_that_it_says_and_stays_within_8_bits() -> None:
    grey = np.full((50, 1, 20, 20), 128, dtype=np.uint8)
    change = noisy(grey, 10.0).astype(float) - 128
    assert change.std() == pytest.approx(10.0, rel=0.03)
    assert abs(change.mean()) < 0.3
    white = noisy(np.full((5, 1, 8, 8), 255, dtype=np.uint8), 60.0)
    assert white.max() == 255
    assert (white >= 0).all()


def test_blur_is_the_mean_of_nine_and_keeps_flat_images(images: np.ndarray) -> None:
    found = blurred(images)
    assert found[0, 0, 3, 4] == round(images[0, 0, 2:5, 3:6].mean())
    flat = np.full((2, 3, 8, 8), 77, dtype=np.uint8)
    assert (blurred(flat) == flat).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_changes_images_but_not_their_shape(channels: int) -> None:
    images = keyed("jpeg").integers(0, 256, (4, channels, 8, 8), dtype=np.uint8)
    found = compressed(images)
    assert found.shape == images.shape
    assert found.dtype == np.uint8
    assert (found != images).mean() > 0.5


def test_fewer_modes_keeps_the_count_and_drops_the_classes(split: Split) -> None:
    found = fewer_modes(split, 3)
    assert len(found) == len(split)
    assert found.labels is not None
    assert set(found.labels.tolist()) == {0, 1, 2}
    assert found.labels[0] == 0


def test_shuffled_labels_are_the_same_labels_on_other_images(split: Split) -> None:
    found = shuffled_labels(split)
    assert (found.values == split.values).all()
    assert found.labels is not None
    assert split.labels is not None
    assert (np.sort(found.labels) == np.sort(split.labels)).all()
    assert (found.labels != split.labels).any()
