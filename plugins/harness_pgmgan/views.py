"""Views of images for the pretext task and the partitioner: sets of random changes, by name.

Images are float [N, C, H, W] in [-1, 1] before and after. Every image has draws of its own; nothing loops over
images. Views carry no gradient and are computed in float32, under autocast too: they use no operation that it lowers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from harness.contracts import Draws
from harness_pgmgan import colour, geometry
from harness_pgmgan.strong import randomly_changed

#: images and where random numbers for them come from, to another view of them
View = Callable[[Tensor, Draws], Tensor]

#: grey, which is 0 on the scale of -1 to 1: what cutout paints
_GREY = 0.5


def natural(
    images: Tensor,
    draws: Draws,
    *,
    scale: tuple[float, float] = (0.2, 1.0),
    strength: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.1),
    jitter_share: float = 0.8,
    grey_share: float = 0.2,
) -> Tensor:
    """SimCLR's list for photographs (Chen et al. 2020), with SCAN's settings for CIFAR-10, which has no blur.

    Resized crop, flip of every second image, colour jitter, grey. One-channel images skip saturation, hue and grey.

    :param images: C of 1 or 3.
    :param scale: smallest and largest share of the area that a crop keeps.
    :param strength: how far brightness, contrast, saturation and hue may go: factors from 1 - s to 1 + s, and turns of
        the hue from -s to s of a circle. Their order is drawn once a batch (torchvision draws it for each image).
    :param jitter_share: probability of colour jitter.
    :param grey_share: probability of grey.
    """

    def change(x: Tensor) -> Tensor:
        x = geometry.resized_crop(x, geometry.random_boxes(x, scale, draws))
        x = geometry.flipped(x, _chosen(x, 0.5, draws))
        x = _where(_chosen(x, jitter_share, draws), _jittered(x, strength, draws), x)
        return _where(_chosen(x, grey_share, draws), colour.grey(x).expand_as(x), x)

    return _on_unit_range(change, images)


def strong(images: Tensor, draws: Draws, *, rounds: int = 4, hole: int = 16, shift: int = 0) -> Tensor:
    """SCAN's list for its clustering stage (Van Gansbeke et al. 2020).

    Flip of every second image, crop, `rounds` strong operations (see :mod:`harness_pgmgan.strong`), one grey hole.

    :param images: C of 1 or 3.
    :param hole: longest side of the hole in pixels; 0 for none.
    :param shift: how many pixels the crop may be off centre to each side, in which case black comes in. 0 leaves the
        images in place, as SCAN's crop of 32 pixels out of 32 does.
    """

    def change(x: Tensor) -> Tensor:
        x = geometry.flipped(x, _chosen(x, 0.5, draws))
        if shift:
            right, down = (draws.integers(2 * shift + 1, len(x)).to(x.dtype) - shift for _ in range(2))
            x = geometry.moved(x, right, down)
        x = randomly_changed(x, rounds, draws)
        return geometry.hidden(x, geometry.random_holes(x, hole, draws), _GREY) if hole else x

    return _on_unit_range(change, images)


def digits(
    images: Tensor,
    draws: Draws,
    *,
    scale: tuple[float, float] = (0.5, 1.0),
    degrees: float = 10.0,
    strength: float = 0.4,
) -> Tensor:
    """A mild list for MNIST and Stacked-MNIST, whose digits a flip or a change of hue would turn into others.

    Resized crop and rotation, the same for all channels of an image; then brightness and contrast, each channel by
    factors of its own and without a look at the others. The paper does not say what it used.

    :param images: any C.
    :param scale: smallest and largest share of the area that a crop keeps.
    :param degrees: largest angle, either way; black comes in.
    :param strength: factors go from 1 - strength to 1 + strength.
    """

    def change(x: Tensor) -> Tensor:
        x = geometry.resized_crop(x, geometry.random_boxes(x, scale, draws))
        x = geometry.rotated(x, _between(-degrees, degrees, draws, len(x)))
        x = colour.brightened(x, _between(1 - strength, 1 + strength, draws, *x.shape[:2]))
        return colour.contrasted_by_channel(x, _between(1 - strength, 1 + strength, draws, *x.shape[:2]))

    return _on_unit_range(change, images)


def none(images: Tensor, draws: Draws) -> Tensor:
    """The images as they are; nothing is drawn."""
    return images


#: the sets, each with its default settings
VIEWS: Mapping[str, View] = MappingProxyType({"natural": natural, "strong": strong, "digits": digits, "none": none})


def _jittered(x: Tensor, strength: tuple[float, float, float, float], draws: Draws) -> Tensor:
    brightness, contrast, saturation, hue = strength
    changes = [
        (colour.brightened, _about_one(x, brightness, draws)),
        (colour.contrasted, _about_one(x, contrast, draws)),
        (colour.saturated, _about_one(x, saturation, draws)),
        (colour.hue_shifted, _between(-hue, hue, draws, len(x))),
    ]
    for number in draws.order(len(changes)):
        apply, amount = changes[number]
        if x.shape[1] == 3 or apply in (colour.brightened, colour.contrasted):
            x = apply(x, amount)
    return x


@torch.no_grad()
def _on_unit_range(change: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """A change of images in [0, 1], made on images in [-1, 1] and in float32."""
    return (2.0 * change((images.float() + 1.0) / 2.0) - 1.0).to(images.dtype)


def _where(which: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.where(which[:, None, None, None], x, y)


def _chosen(x: Tensor, share: float, draws: Draws) -> Tensor:
    """True for a random `share` of the images, bool [N]."""
    return draws.uniform(len(x)) < share


def _between(low: float, high: float, draws: Draws, n: int, *shape: int) -> Tensor:
    return draws.uniform(n, *shape) * (high - low) + low


def _about_one(x: Tensor, strength: float, draws: Draws) -> Tensor:
    """Factors from 1 - strength (0 at least) to 1 + strength, [N]."""
    return _between(max(0.0, 1.0 - strength), 1.0 + strength, draws, len(x))
