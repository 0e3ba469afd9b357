from __future__ import annotations

import numpy as np
import torch
import torchvision.transforms as transforms
from cleanfid.resize import build_resizer
from PIL import Image
from torch import Tensor

from harness.builtin.extractors.resizing import antialiased_bicubic, clean_bicubic, pil_bicubic_uint8


def pixels(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0).numpy()


def test_clean_resizing_is_that_of_clean_fid_on_each_image(colour: Tensor) -> None:
    resized = clean_bicubic(colour)
    assert resized.shape == (4, 3, 299, 299)
    assert resized.dtype == torch.float32
    assert bool((resized != resized.round()).any())
    for image, made in zip(colour, resized, strict=True):
        assert np.array_equal(pixels(made), build_resizer("clean")(pixels(image)))


def test_rounded_resizing_is_that_of_torchvision_on_pictures(colour: Tensor) -> None:
    resize = transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC)
    for image, made in zip(colour, pil_bicubic_uint8(colour, 224), strict=True):
        assert np.array_equal(pixels(made), np.asarray(resize(Image.fromarray(pixels(image)))))


def test_antialiased_resizing_is_that_of_pil_without_rounding() -> None:
    large = torch.randint(0, 256, (2, 3, 300, 260), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for image, made in zip(large, antialiased_bicubic(large, 224), strict=True):
        for channel in range(3):
            picture = Image.fromarray(image[channel].numpy().astype(np.float32))
            expected = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC)).clip(0, 255)
            assert np.abs(made[channel].numpy() - expected).max() < 0.01


def test_resizing_never_leaves_the_range_of_pixels() -> None:
    edges = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    edges[..., 4:] = 255
    for made in (clean_bicubic(edges), antialiased_bicubic(edges, 224), pil_bicubic_uint8(edges, 224)):
        assert (float(made.min()), float(made.max())) == (0.0, 255.0)
