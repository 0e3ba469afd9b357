from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harness.data.fit import fit_images, fitted_shape, shape_beside
from harness.errors import SettingsError

SIDES = (16, 32, 64)


def fitted(images: np.ndarray, fit: str) -> np.ndarray:
    return fit_images(images, fitted_shape(images.shape[1:], fit, SIDES, "net"))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "fit", "after", "said"),
    [
        ((1, 32, 32), "none", 32, "none"),
        ((1, 32, 32), "pad", 32, "none"),
        ((1, 28, 28), "pad", 32, "pad 28x28 -> 32x32"),
        ((3, 20, 40), "pad", 64, "pad 20x40 -> 64x64"),
        ((1, 28, 28), "resize", 32, "resize 28x28 -> 32x32"),
        ((3, 96, 96), "resize", 64, "resize 96x96 -> 64x64"),
        ((3, 96, 80), "crop:64", 64, "crop 96x80 -> 64x64"),
        ((1, 32, 32), "crop:16", 16, "crop 32x32 -> 16x16"),
    ],
)
def test_where_images_go(shape, fit, after, said) -> None:
    result = fitted_shape(shape, fit, SIDES, "net")
    assert result.after == (shape[0], after, after)
    assert result.describe() == said


@pytest.mark.parametrize(
    ("shape", "fit", "said"),
    [
        (
            (1, 28, 28),
            "none",
            r"'net' cannot build 28x28 pixels \(it builds 16, 32, 64\); use --set fit=pad, fit=resize",
        ),
        ((1, 96, 96), "pad", r"cannot build 96x96 pixels .*; use --set fit=resize or fit=crop:SIZE"),
        ((1, 32, 16), "none", r"cannot build 32x16 pixels"),
        ((1, 28, 28), "crop:32", r"crop:32 is larger than the images \(28x28\)"),
        ((1, 64, 64), "crop:20", r"'net' cannot build 20 pixels; it builds 16, 32, 64"),
    ],
)
def test_images_that_cannot_be_fitted_say_what_to_do(shape, fit, said) -> None:
    with pytest.raises(SettingsError, match=said):
        fitted_shape(shape, fit, SIDES, "net")


def test_a_backbone_without_resolutions_is_named() -> None:
    with pytest.raises(SettingsError, match="'net' names no resolution"):
        fitted_shape((1, 8, 8), "resize", (), "net")


def test_padding_is_black_and_even() -> None:
    images = noise(2, 3, 28, 28) | 1  # no pixel is black
    result = fitted(images, "pad")
    np.testing.assert_array_equal(result[:, :, 2:-2, 2:-2], images)
    border = result.copy()
    border[:, :, 2:-2, 2:-2] = 0
    assert border.sum() == 0
    assert result.dtype == np.uint8


def test_an_odd_remainder_goes_below_and_right() -> None:
    result = fitted(np.ones((1, 1, 15, 15), dtype=np.uint8), "pad")
    assert result[0, 0, 0, 0] == 1
    assert result[0, 0, -1].sum() == result[0, 0, :, -1].sum() == 0


def test_the_crop_is_the_central_square() -> None:
    images = noise(2, 3, 40, 36)
    np.testing.assert_array_equal(fitted(images, "crop:32"), images[:, :, 4:36, 2:34])


def test_resizing_is_what_pillow_does_to_the_whole_image() -> None:
    images = noise(3, 3, 40, 28)
    for image, result in zip(images, fitted(images, "resize"), strict=True):
        oracle = Image.fromarray(image.transpose(1, 2, 0)).resize((64, 64), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(result.transpose(1, 2, 0), np.asarray(oracle))


def test_images_that_fit_are_left_alone() -> None:
    images = noise(2, 1, 32, 32)
    assert fitted(images, "resize") is images


@pytest.mark.parametrize(
    ("fit", "shape", "side", "how"),
    [
        ("none", (1, 32, 32), 32, "none"),
        ("pad", (1, 28, 28), 32, "pad"),
        ("resize", (3, 96, 96), 32, "resize"),
        ("resize", (3, 20, 30), 32, "resize"),
        ("crop:32", (3, 40, 48), 32, "crop"),
    ],
)
def test_images_are_made_as_large_as_others(fit, shape, side, how):
    found = shape_beside(shape, fit, side, "x")
    assert (found.how, found.before, found.after) == (how, shape, (shape[0], side, side))
    assert fit_images(np.zeros((2, *shape), dtype=np.uint8), found).shape == (2, shape[0], side, side)


@pytest.mark.parametrize(("fit", "shape"), [("none", (1, 28, 28)), ("pad", (1, 64, 64)), ("crop:16", (1, 64, 64))])
def test_a_fit_that_does_not_bring_images_to_the_size_of_others_is_refused(fit, shape):
    size = f"{shape[1]}x{shape[2]}"
    with pytest.raises(SettingsError, match=f"images of 'x' are {size}, and fit={fit} does not make them 32x32"):
        shape_beside(shape, fit, 32, "x")
