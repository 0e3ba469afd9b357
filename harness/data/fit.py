"""Making images fit a backbone: nothing silently, each way named and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.contracts.settings import problem_with_fit
from harness.errors import SettingsError


@dataclass(frozen=True)
class FittedShape:
    """What fitting does to one image.

    :param how: "none", "pad", "resize" or "crop".
    :param crop: side of the central square cut out first (only for "crop").
    """

    how: str
    before: tuple[int, int, int]
    after: tuple[int, int, int]
    crop: int | None = None

    def describe(self) -> str:
        """For the record: ``pad 28x28 -> 32x32``."""
        if self.before == self.after:
            return "none"
        return f"{self.how} {self.before[1]}x{self.before[2]} -> {self.after[1]}x{self.after[2]}"


def fitted_shape(shape: tuple[int, int, int], fit: str, resolutions: Sequence[int], backbone: str) -> FittedShape:
    """The shape that images take on for a backbone.

    `pad` and `resize` go to the smallest resolution that holds the image (`resize` shrinks to the largest one where
    none does); `crop:SIZE` cuts the central SIZE x SIZE square, which must be a resolution.

    :param shape: (C, H, W) as stored.
    :param resolutions: what the backbone can build.
    :raises SettingsError: where the images do not fit and `fit` does not make them.
    """
    channels, height, width = shape
    how, _, size = fit.partition(":")
    known = sorted(resolutions)
    if not known:
        raise SettingsError(f"backbone '{backbone}' names no resolution that it builds")
    if how == "crop":
        side = int(size)
        if side > min(height, width):
            raise SettingsError(f"crop:{side} is larger than the images ({height}x{width})")
        if side not in known:
            raise SettingsError(f"backbone '{backbone}' cannot build {side} pixels", f"it builds {_listed(known)}")
        return FittedShape("crop", shape, (channels, side, side), side)
    if height == width and height in known:
        return FittedShape("none", shape, shape)
    larger = [side for side in known if side >= max(height, width)]
    if how == "resize":
        side = larger[0] if larger else known[-1]
        return FittedShape("resize", shape, (channels, side, side))
    if how == "pad" and larger:
        return FittedShape("pad", shape, (channels, larger[0], larger[0]))
    remedy = "--set fit=resize or fit=crop:SIZE" if not larger else "--set fit=pad, fit=resize or fit=crop:SIZE"
    raise SettingsError(
        f"backbone '{backbone}' cannot build {height}x{width} pixels (it builds {_listed(known)})", f"use {remedy}"
    )


def check_fit(fit: str) -> None:
    """:raises SettingsError: where `fit` is none of none, pad, resize and crop:SIZE."""
    if problem := problem_with_fit(fit):
        raise SettingsError(f"there is no fit '{fit}'", problem)


def shape_beside(shape: tuple[int, int, int], fit: str, side: int, name: str) -> FittedShape:
    """The shape that images take on beside others of a given size.

    :param shape: (C, H, W) as stored.
    :param side: pixels a side of the others.
    :param name: whose images these are, for the error.
    :raises SettingsError: where `fit` does not bring them to that size.
    """
    channels, height, width = shape
    after = (channels, side, side)
    if (height, width) == (side, side):
        return FittedShape("none", shape, shape)
    if fit == "resize" or (fit == "pad" and max(height, width) <= side):
        return FittedShape(fit, shape, after)
    if fit == f"crop:{side}" and min(height, width) >= side:
        return FittedShape("crop", shape, after, side)
    raise SettingsError(
        f"images of '{name}' are {height}x{width}, and fit={fit} does not make them {side}x{side}",
        "choose pad, resize or crop:SIZE",
    )


def fit_images(images: np.ndarray, fit: FittedShape) -> np.ndarray:
    """Apply a fit to uint8 [N, C, H, W]; padding is black (0), resizing is PIL's antialiased bicubic."""
    if fit.before == fit.after:
        return images
    _, height, width = fit.before
    side = fit.after[1]
    if fit.how == "crop":
        top, left = (height - side) // 2, (width - side) // 2
        return np.ascontiguousarray(images[:, :, top : top + side, left : left + side])
    if fit.how == "pad":
        top, left = (side - height) // 2, (side - width) // 2
        rows, columns = (top, side - height - top), (left, side - width - left)
        return np.pad(images, ((0, 0), (0, 0), rows, columns))
    return resized(images, side)


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """uint8 [N, C, H, W] to side x side with PIL's antialiased bicubic filter, channel by channel."""
    from PIL import Image

    result = np.empty((*images.shape[:2], side, side), dtype=np.uint8)
    for n, image in enumerate(images):
        for c, channel in enumerate(image):
            resampled = Image.fromarray(channel).resize((side, side), Image.Resampling.BICUBIC)
            result[n, c] = np.asarray(resampled)
    return result


def _listed(sides: Sequence[int]) -> str:
    return ", ".join(map(str, sides))
