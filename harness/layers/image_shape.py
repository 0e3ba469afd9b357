"""Which images a backbone can build."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import SettingsError


def square(backbone: str, shape: tuple[int, ...], sides: Iterable[int], why: str = "") -> tuple[int, int]:
    """Channels and side length of square images that can be built.

    :param shape: (C, H, W) of the images.
    :param sides: the side lengths, in pixels, that the backbone builds.
    :param why: what makes these the ones, for the error; may be empty.
    :raises SettingsError: for points, for images without a channel and for other sizes.
    """
    sides = tuple(sides)
    if len(shape) != 3:
        raise SettingsError(
            f"backbone '{backbone}' builds images [channels, height, width], not data of shape {list(shape)}",
            "choose a backbone for points, e.g. --set backbone=mlp",
        )
    channels, height, width = shape
    if channels < 1:
        raise SettingsError(f"backbone '{backbone}' needs images with at least one channel, not {channels}")
    if height != width or height not in sides:
        raise SettingsError(
            f"backbone '{backbone}' cannot build {height} x {width} pixels "
            f"(it builds squares of {', '.join(map(str, sides))}{why and f': {why}'})",
            "make the images fit with --set fit=pad, fit=resize or fit=crop:SIZE",
        )
    return channels, height
