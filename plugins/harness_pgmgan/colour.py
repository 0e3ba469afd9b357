"""Changing the colours of images, each image by factors of its own, as torchvision and PIL define the changes.

Images are float [N, C, H, W] in [0, 1] before and after; factors are [N], or [N, C] for one a channel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: what red, green and blue have in a grey value (ITU-R 601-2, four digits)
_LUMA = (0.2989, 0.587, 0.114)


def brightened(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with black: factor 0 is black, 1 changes nothing."""
    return _blended(torch.zeros_like(images), images, factor)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the image's mean grey."""
    return _blended(grey(images).mean((2, 3), keepdim=True), images, factor)


def contrasted_by_channel(images: Tensor, factor: Tensor) -> Tensor:
    """Blend each channel with its own mean, so that none sees another."""
    return _blended(images.mean((2, 3), keepdim=True), images, factor)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the grey image; images of one channel stay."""
    return _blended(grey(images), images, factor)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the image smoothed by a 3 x 3 kernel of ones with 5 in the middle; the outermost pixels stay."""
    inner = images[..., 1:-1, 1:-1]
    smooth = images.clone()
    smooth[..., 1:-1, 1:-1] = (9.0 * F.avg_pool2d(images, 3, stride=1) + 4.0 * inner) / 13.0
    return _blended(smooth, images, factor)


def hue_shifted(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue by `turn` [N] of a full circle (0.5 gives the complement); RGB only."""
    red, green, blue = images.unbind(1)
    value = images.amax(1)
    chroma = value - images.amin(1)
    divisor = torch.where(chroma == 0, 1.0, chroma)
    sextant = torch.where(  # hue, 0 to 6: which channel is the largest, and which of the others comes next
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, 2.0 + (blue - red) / divisor, 4.0 + (red - green) / divisor),
    )
    sextant = sextant + 6.0 * turn[:, None, None]
    # each channel is the largest value minus the chroma, but for a trapezium of hues around its own
    place = torch.stack([(start + sextant) % 6.0 for start in (5.0, 3.0, 1.0)], 1)
    drop = place.minimum(4.0 - place).clamp(0.0, 1.0)
    return (value[:, None] - chroma[:, None] * drop).clamp(0.0, 1.0)


def grey(images: Tensor) -> Tensor:
    """Grey value of each pixel, [N, 1, H, W]; one channel is its own grey.

    :raises ValueError: for images of other than 1 or 3 channels.
    """
    channels = images.shape[1]
    if channels == 1:
        return images
    if channels != 3:
        raise ValueError(f"colours are changed in images of 1 or 3 channels, not {channels}")
    red, green, blue = images.split(1, dim=1)
    found: Tensor = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return found


def posterised(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the first `bits` [N] (whole numbers, 0 to 8) of the 8 bits of each value."""
    step = _column(2.0 ** (8.0 - bits), images)
    return (_levels(images) / step).floor() * step / 255.0


def solarised(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the values from `threshold` [N] upward; above 1, nothing changes."""
    return torch.where(images >= _column(threshold, images), 1.0 - images, images)


def autocontrasted(images: Tensor) -> Tensor:
    """Stretch each channel over the whole range; a constant channel stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    constant = low == high
    return torch.where(constant, images, (images - low) / torch.where(constant, 1.0, high - low))


def equalised(images: Tensor) -> Tensor:
    """Spread the values of each channel evenly over the range, by PIL's rule for 8-bit images.

    With s the number of pixels below the brightest level, over 255 and rounded down, a pixel with b pixels below it
    becomes (b + s/2) / s, both rounded down; where s is 0, the channel stays as it is.
    """
    levels = _levels(images).flatten(2)  # [N, C, P]
    ordered = levels.sort(2).values
    below = torch.searchsorted(ordered, levels.contiguous())
    brightest = (levels == levels.amax(2, keepdim=True)).sum(2, keepdim=True)
    step = (levels.shape[2] - brightest) // 255
    spread = ((below + step // 2) // step.clamp(min=1)).clamp(max=255).view_as(images)
    return torch.where(step[..., None] == 0, images, spread / 255.0)


def _blended(degenerate: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """`factor` of the images and the rest of the degenerate ones; factors above 1 extrapolate, cut to the range."""
    weight = _column(factor, images)
    return (weight * images + (1.0 - weight) * degenerate).clamp(0.0, 1.0)


def _column(factor: Tensor, images: Tensor) -> Tensor:
    """[N] or [N, C], shaped to go with [N, C, H, W]."""
    return factor.reshape(*factor.shape, *[1] * (images.ndim - factor.ndim))


def _levels(images: Tensor) -> Tensor:
    """Nearest 8-bit values, float, 0 to 255."""
    return (images * 255.0).round()
