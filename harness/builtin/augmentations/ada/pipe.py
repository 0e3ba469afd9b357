"""The chain of transforms, from numbers drawn beforehand.

A transform is applied to an image where the image's gate, uniform in [0, 1), lies below the transform's probability,
and is the identity elsewhere, so that nothing here waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from harness import full_precision
from harness.builtin.augmentations.ada import colour, corruptions, geometry
from harness.builtin.augmentations.ada.ada_settings import AdaSettings
from harness.contracts import Draws
from harness.errors import SettingsError


@dataclass(frozen=True)
class Drawn:
    """What one transform is drawn for a batch of N images.

    :ivar gate: uniform in [0, 1), [N, 1] ([N, 4] for imgfilter, one a band).
    :ivar value: uniform in [0, 1) or standard normal, [N, k]: (x, y) for xint, xfrac and cutout, one a band for
        imgfilter, k = 1 for the others.
    :ivar pixels: standard normal [N, C, H, W], for noise only.
    """

    gate: Tensor
    value: Tensor
    pixels: Tensor | None = None


class _Needs(NamedTuple):
    """What a transform asks for: the law and number of its values, the number of its gates."""

    law: Literal["uniform", "normal"]
    values: int = 1
    gates: int = 1


#: all transforms in the order in which they are applied; `rotate` comes twice, on either side of `aniso`
NEEDS: Mapping[str, _Needs] = {
    "xflip": _Needs("uniform"),
    "rotate90": _Needs("uniform"),
    "xint": _Needs("uniform", 2),
    "scale": _Needs("normal"),
    "rotate_before": _Needs("uniform"),
    "aniso": _Needs("normal"),
    "rotate_after": _Needs("uniform"),
    "xfrac": _Needs("normal", 2),
    "brightness": _Needs("normal"),
    "contrast": _Needs("normal"),
    "lumaflip": _Needs("uniform"),
    "hue": _Needs("uniform"),
    "saturation": _Needs("normal"),
    "imgfilter": _Needs("normal", corruptions.BANDS, corruptions.BANDS),
    "noise": _Needs("normal"),
    "cutout": _Needs("uniform", 2),
}

#: what a grey image has none of
_NEED_COLOUR = ("hue", "saturation")


class Pipe:
    """The chain that settings describe; it holds nothing that changes."""

    def __init__(self, settings: AdaSettings) -> None:
        self.settings = settings

    def transforms(self, channels: int) -> tuple[str, ...]:
        """Names (of `NEEDS`) of what is on for images of this many channels, in order."""
        grey = _NEED_COLOUR if channels == 1 else ()
        return tuple(name for name in NEEDS if name not in grey and self.settings.share(_setting(name)) > 0)

    def check(self, channels: int, height: int, width: int) -> None:
        """Whether such images can be augmented.

        :raises SettingsError: for other than 1 or 3 channels, and for images too small for the filters.
        """
        if channels not in (1, 3):
            raise SettingsError(f"ada takes images of 1 or 3 channels, not {channels}")
        if "imgfilter" in self.transforms(channels) and min(height, width) < corruptions.LEAST:
            raise SettingsError(
                f"ada's imgfilter takes images of at least {corruptions.LEAST} pixels a side, not {width} x {height}",
                "leave filter out of its groups",
            )

    def draw(self, draws: Draws, n: int, channels: int, height: int, width: int) -> dict[str, Drawn]:
        """All that the chain needs for images [n, channels, height, width], by transform."""
        names = self.transforms(channels)
        needs = [NEEDS[name] for name in names]
        uniform = [count for need in needs for count in (need.gates, need.values * (need.law == "uniform"))]
        normal = [need.values * (need.law == "normal") for need in needs]
        # one draw for all transforms: many small ones cost more than their numbers
        uniforms = draws.uniform(n, sum(uniform)).split(uniform, 1)
        normals = draws.normal(n, sum(normal)).split(normal, 1)
        drawn = {}
        for index, (name, need) in enumerate(zip(names, needs, strict=True)):
            value = normals[index] if need.law == "normal" else uniforms[2 * index + 1]
            pixels = draws.normal(n, channels, height, width) if name == "noise" else None
            drawn[name] = Drawn(uniforms[2 * index], value, pixels)
        return drawn

    def __call__(self, images: Tensor, drawn: Mapping[str, Drawn], p: Tensor) -> Tensor:
        """Augmented images [N, C, H, W], computed in float32 and of the type that they came in.

        :param images: [N, C, H, W] in about [-1, 1], 1 or 3 channels; the result may leave that range.
        :param drawn: by transform, for those in `transforms`.
        :param p: probability of each transform, [] on the images' device; above 1 it is as 1.
        :raises SettingsError: as `check` does.
        """
        self.check(*images.shape[1:])
        kind, images = images.dtype, images.float()
        with full_precision(images.device):
            if maps := geometric_maps(drawn, p, self.settings, *images.shape[2:]):
                images = geometry.resample(images, reduce(torch.matmul, maps))
            if maps := colour_maps(drawn, p, self.settings):
                images = colour.recolour(images, reduce(torch.matmul, reversed(maps)))
            return corrupted(images, drawn, p, self.settings).to(kind)


def _setting(name: str) -> str:
    """The setting that a transform's factor of p is."""
    return "rotate" if name.startswith("rotate_") else name


class _Gated:
    """Chooses between what is drawn and the identity."""

    def __init__(self, drawn: Mapping[str, Drawn], p: Tensor, settings: AdaSettings) -> None:
        self.drawn, self.p, self.settings = drawn, p, settings

    def __contains__(self, name: str) -> bool:
        return name in self.drawn

    def value(self, name: str) -> Tensor:
        return self.drawn[name].value

    def probability(self, name: str) -> Tensor:
        probability = self.p * self.settings.share(_setting(name))
        if name.startswith("rotate_"):  # twice, so that one turn or more has the probability asked for
            return 1 - (1 - probability).clamp(0, 1).sqrt()
        return probability

    def __call__(self, name: str, strength: Tensor, neutral: float) -> tuple[Tensor, ...]:
        """`strength` [N, k] where the gate is open and `neutral` elsewhere, by column: k times [N]."""
        applied = self.drawn[name].gate < self.probability(name)
        return torch.where(applied, strength, neutral).unbind(1)


def geometric_maps(
    drawn: Mapping[str, Drawn], p: Tensor, settings: AdaSettings, height: int, width: int
) -> list[Tensor]:
    """Inverse maps [N, 3, 3] of the geometric transforms that are drawn; their product in this order is the whole.

    Karras et al. (2020), appendix B.
    """
    gated, maps = _Gated(drawn, p, settings), []
    if "xflip" in gated:
        (mirror,) = gated("xflip", 1 - 2 * (2 * gated.value("xflip")).floor(), 1.0)
        maps.append(geometry.scaling(mirror, torch.ones_like(mirror)))
    if "rotate90" in gated:
        (turns,) = gated("rotate90", (4 * gated.value("rotate90")).floor(), 0.0)
        maps.append(geometry.rotation(math.pi / 2 * turns))
    if "xint" in gated:
        x, y = gated("xint", settings.xint_max * (2 * gated.value("xint") - 1), 0.0)
        maps.append(geometry.shift((width * x).round(), (height * y).round()))
    if "scale" in gated:
        (factor,) = gated("scale", (settings.scale_std * gated.value("scale")).exp2(), 1.0)
        maps.append(geometry.scaling(factor, factor))
    if "rotate_before" in gated:
        maps.append(_any_angle(gated, "rotate_before"))
    if "aniso" in gated:
        (factor,) = gated("aniso", (settings.aniso_std * gated.value("aniso")).exp2(), 1.0)
        maps.append(geometry.scaling(factor, 1 / factor))
    if "rotate_after" in gated:
        maps.append(_any_angle(gated, "rotate_after"))
    if "xfrac" in gated:
        x, y = gated("xfrac", settings.xfrac_std * gated.value("xfrac"), 0.0)
        maps.append(geometry.shift(width * x, height * y))
    return maps


def _any_angle(gated: _Gated, name: str) -> Tensor:
    (angle,) = gated(name, math.pi * gated.settings.rotate_max * (2 * gated.value(name) - 1), 0.0)
    return geometry.rotation(angle)


def colour_maps(drawn: Mapping[str, Drawn], p: Tensor, settings: AdaSettings) -> list[Tensor]:
    """Maps [N, 4, 4] of the colour transforms that are drawn, the first to be applied first.

    Karras et al. (2020), appendix B.
    """
    gated, maps = _Gated(drawn, p, settings), []
    if "brightness" in gated:
        maps.append(colour.brightness(*gated("brightness", settings.brightness_std * gated.value("brightness"), 0.0)))
    if "contrast" in gated:
        maps.append(colour.contrast(*gated("contrast", (settings.contrast_std * gated.value("contrast")).exp2(), 1.0)))
    if "lumaflip" in gated:
        maps.append(colour.luma_flip(*gated("lumaflip", (2 * gated.value("lumaflip")).floor(), 0.0)))
    if "hue" in gated:
        maps.append(colour.hue(*gated("hue", math.pi * settings.hue_max * (2 * gated.value("hue") - 1), 0.0)))
    if "saturation" in gated:
        factor = (settings.saturation_std * gated.value("saturation")).exp2()
        maps.append(colour.saturation(*gated("saturation", factor, 1.0)))
    return maps


def corrupted(images: Tensor, drawn: Mapping[str, Drawn], p: Tensor, settings: AdaSettings) -> Tensor:
    """Images [N, C, H, W] after imgfilter, noise and cutout, so far as they are drawn."""
    gated = _Gated(drawn, p, settings)
    if "imgfilter" in gated:
        images = corruptions.filter_bands(images, corruptions.band_gains(_band_factors(gated)))
    if "noise" in gated:
        (sigma,) = gated("noise", settings.noise_std * gated.value("noise").abs(), 0.0)
        pixels = drawn["noise"].pixels
        assert pixels is not None, "noise is drawn with its pixels"
        images = corruptions.add_noise(images, sigma, pixels)
    if "cutout" in gated:
        x, y = gated.value("cutout").unbind(1)
        (size,) = gated("cutout", torch.full_like(x, settings.cutout_size)[:, None], 0.0)
        images = corruptions.cut_out(images, x, y, size)
    return images


def _band_factors(gated: _Gated) -> Tensor:
    """The factor of each band, 1 where its gate is shut; [N, 4]."""
    raw = (gated.settings.imgfilter_std * gated.value("imgfilter")).exp2()
    probability = gated.probability("imgfilter")
    gates = gated.drawn["imgfilter"].gate
    bands = zip(gates.unbind(1), raw.unbind(1), gated.settings.imgfilter_bands, strict=True)
    return torch.stack([torch.where(gate < share * probability, factor, 1.0) for gate, factor, share in bands], 1)
