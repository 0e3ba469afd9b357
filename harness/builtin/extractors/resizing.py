"""Resizing as other tools do it, by the name that a protocol gives it. N: images, S: pixels a side that are wanted."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate


def clean_bicubic(images: Tensor) -> Tensor:
    """Images [N, 3, H, W] to float [N, 3, 299, 299], both in [0, 255]: clean-fid's own resizer (Parmar et al. 2022).

    PIL's bicubic filter on every channel in float32: it widens where it makes smaller, and nothing is rounded.
    """
    from cleanfid.resize import build_resizer

    resizer = build_resizer("clean")
    resized = [resizer(image) for image in images.cpu().permute(0, 2, 3, 1).numpy()]
    return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).contiguous()


def pil_bicubic_uint8(images: Tensor, side: int) -> Tensor:
    """uint8 [N, 3, H, W] to uint8 [N, 3, S, S]: PIL's bicubic filter, rounded to whole levels after each direction."""
    pictures = [Image.fromarray(image) for image in images.cpu().permute(0, 2, 3, 1).contiguous().numpy()]
    resized = [np.array(picture.resize((side, side), Image.Resampling.BICUBIC)) for picture in pictures]
    return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).contiguous()


def antialiased_bicubic(images: Tensor, side: int) -> Tensor:
    """Images [N, 3, H, W] to float [N, 3, S, S], both in [0, 255]: torch's bicubic, widened where it makes smaller."""
    resized = interpolate(images.float(), (side, side), mode="bicubic", align_corners=False, antialias=True)
    return resized.clamp(0.0, 255.0)
