"""A picture of samples, each beside the training images nearest to it. S: samples, K: neighbours, C: channels."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from harness.evaluation import Bench, Evidence, SetEvidence, quantised

#: small images are enlarged to at least this many pixels a side
SIDE = 32

#: white pixels between images, and between a sample and its neighbours
GAP, WIDE_GAP = 2, 10


@dataclass(frozen=True)
class Pictures(Evidence[Tensor]):
    """A few images of a set as they are looked at, uint8 [N, C, H, W], without the whole set being stored for them."""

    of: SetEvidence[Any]
    quantise: str

    def make(self, bench: Bench) -> Tensor:
        rule = "round" if self.quantise == "none" else self.quantise  # a picture has 8 bits, whatever a network saw
        with closing(bench.blocks(self.of)) as blocks:
            return torch.cat([quantised(images, rule).cpu() for images in blocks])


def neighbour_figure(samples: Tensor, neighbours: Tensor) -> bytes:
    """Samples uint8 [S, C, H, W] and their neighbours uint8 [S, K, C, H, W] as a PNG: one row for each sample."""
    scale = max(1, -(-SIDE // min(samples.shape[2:])))
    cells = torch.cat([samples[:, None], neighbours], 1)  # [S, 1 + K, C, H, W]
    cells = cells.repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    rows = torch.cat([_row(cell) for cell in cells], 1)  # [C, H', W']
    pixels = rows[:, : rows.shape[1] - GAP].permute(1, 2, 0).contiguous().numpy()
    file = io.BytesIO()
    _image(pixels).save(file, "PNG")
    return file.getvalue()


def _row(cells: Tensor) -> Tensor:
    """Images [1 + K, C, H, W] side by side, with white below: [C, H + GAP, W']."""
    sample, *others = cells
    joined = [sample]
    for number, image in enumerate(others):
        joined += [_white(image, GAP if number else WIDE_GAP), image]
    row = torch.cat(joined, 2)
    return torch.nn.functional.pad(row, (0, 0, 0, GAP), value=255)


def _white(image: Tensor, width: int) -> Tensor:
    return image.new_full((*image.shape[:2], width), 255)


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
