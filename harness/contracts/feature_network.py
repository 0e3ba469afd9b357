"""What a feature network promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class ImageNetwork(Protocol):
    """What every network that looks at images promises."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """What it gives: "features", and "logits" where it is a classifier; or else "distance"."""
        ...

    @property
    def resize(self) -> str:
        """How it makes images fit, as protocols name it; "native" where it never resamples."""
        ...

    @property
    def batch(self) -> int:
        """Images that it sees at once: a divisor of 128, so that features never depend on how many there are."""
        ...

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images of a shape (C, H, W) that it was not made for.

        :raises EvaluationError: naming the shape and what it takes.
        """
        ...


class Extractor(ImageNetwork, Protocol):
    """A feature network in eval mode, on its device.

    One that also takes float32 images in [0, 255], for which a uint8 image and its float copy are the same, says so by
    an attribute ``unrounded = True``; no other is ever shown floats.
    """

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        """Images uint8 [N, C, H, W] to its outputs, each float [N, F]."""
        ...


class Distance(ImageNetwork, Protocol):
    """A perceptual distance in eval mode, on its device; it has no features, and its only output is "distance"."""

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances float [N] of images float [N, 3, H, W] in [-1, 1], neither resized nor quantised."""
        ...
