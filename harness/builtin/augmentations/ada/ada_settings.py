"""What adaptive discriminator augmentation can be told: which transforms, how strong, how often."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from harness import Settings

#: a set of transforms, in the words of Karras et al. (2020), section 2.3
Group = Literal["blit", "geometry", "colour", "filter", "noise", "cutout"]

#: the transforms of each group, all in the order in which they are applied (appendix B)
GROUPS: Mapping[Group, tuple[str, ...]] = MappingProxyType(
    {
        "blit": ("xflip", "rotate90", "xint"),
        "geometry": ("scale", "rotate", "aniso", "xfrac"),
        "colour": ("brightness", "contrast", "lumaflip", "hue", "saturation"),
        "filter": ("imgfilter",),
        "noise": ("noise",),
        "cutout": ("cutout",),
    }
)

#: a factor of p, so that one transform is rarer (or, above 1, more frequent) than the others
Share = Annotated[float, Field(ge=0)]
#: how strong a transform is
Strength = Annotated[float, Field(ge=0)]


class AdaSettings(Settings):
    """Settings of ada; the defaults are the paper's: all of blit, geometry and colour, p steered to r_t = 0.6.

    A transform's own setting is the factor of p that its probability is: 0 turns it off, and none given means 1 where
    its group is on and 0 elsewhere.
    """

    groups: tuple[Group, ...] = ("blit", "geometry", "colour")
    """which sets of transforms are on: blit, geometry, colour, filter, noise, cutout; also as one
    text, as in blit,colour"""

    target: float | None = Field(default=0.6, ge=-1, le=1)
    """mean sign of the discriminator's scores of real images that p is steered to; none: p stays as it is"""
    interval: int = Field(default=4, gt=0)
    """discriminator steps from one change of p to the next"""
    kimg: int = Field(default=500, gt=0)
    """thousands of real images in which p can rise by 1"""
    p: float = Field(default=0.0, ge=0)
    """probability of a transform at the start, or throughout without a target"""

    xflip: Share | None = None
    """factor of p: mirror left to right"""
    rotate90: Share | None = None
    """factor of p: turn by a multiple of 90 degrees"""
    xint: Share | None = None
    """factor of p: shift by whole pixels"""
    scale: Share | None = None
    """factor of p: magnify or shrink"""
    rotate: Share | None = None
    """factor of p: turn by any angle"""
    aniso: Share | None = None
    """factor of p: stretch one axis and squeeze the other"""
    xfrac: Share | None = None
    """factor of p: shift by fractions of pixels"""
    brightness: Share | None = None
    """factor of p: add to all channels"""
    contrast: Share | None = None
    """factor of p: multiply all channels"""
    lumaflip: Share | None = None
    """factor of p: mirror the luminance, hue and saturation kept"""
    hue: Share | None = None
    """factor of p: turn colours about the grey axis (not for grey images)"""
    saturation: Share | None = None
    """factor of p: multiply the distance from the grey axis (not for grey images)"""
    imgfilter: Share | None = None
    """factor of p: amplify or damp bands of frequencies"""
    noise: Share | None = None
    """factor of p: add Gaussian noise"""
    cutout: Share | None = None
    """factor of p: blank a rectangle"""

    xint_max: Strength = 0.125
    """farthest whole-pixel shift, as a share of the side"""
    scale_std: Strength = 0.2
    """standard deviation of log2 of the magnification"""
    rotate_max: Strength = 1.0
    """largest angle, in half turns"""
    aniso_std: Strength = 0.2
    """standard deviation of log2 of the stretch"""
    xfrac_std: Strength = 0.125
    """standard deviation of the fractional shift, as a share of the side"""
    brightness_std: Strength = 0.2
    """standard deviation of what is added, in units of the image's values"""
    contrast_std: Strength = 0.5
    """standard deviation of log2 of the factor"""
    hue_max: Strength = 1.0
    """largest turn of the hue, in half turns"""
    saturation_std: Strength = 1.0
    """standard deviation of log2 of the factor"""
    imgfilter_std: Strength = 1.0
    """standard deviation of log2 of a band's gain"""
    imgfilter_bands: tuple[Share, Share, Share, Share] = (1.0, 1.0, 1.0, 1.0)
    """factors of p (beside imgfilter's own) by band of frequencies, lowest first"""
    noise_std: Strength = 0.1
    """standard deviation of the noise's standard deviation, in units of the image's values"""
    cutout_size: Strength = 0.5
    """sides of the rectangle, as a share of the image's"""

    @field_validator("groups", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(word.strip() for word in value.split(",")) if value else ()

    def share(self, transform: str) -> float:
        """The factor of p that a transform's probability is; 0 where it is off."""
        own: float | None = getattr(self, transform)
        if own is not None:
            return own
        return float(any(transform in GROUPS[group] for group in self.groups))
