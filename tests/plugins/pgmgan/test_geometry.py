"""Warps, crops and holes, image by image, against torchvision and PIL."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from harness_pgmgan import geometry
from harness_pgmgan.geometry import Boxes
from PIL import Image
from scipy.stats import ks_2samp
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional as TF

from harness.training.batch_draws import BatchDraws

N = 6
DRAWS = BatchDraws(torch.device("cpu"))


def draw(channels: int = 3, height: int = 12, width: int = 12) -> Tensor:
    """Images whose values are those of 8 bits."""
    levels = torch.randint(256, (N, channels, height, width), generator=torch.Generator().manual_seed(0))
    return levels / 255.0


def amounts(low: float, high: float) -> Tensor:
    return torch.rand(N, generator=torch.Generator().manual_seed(1)) * (high - low) + low


def pillow(image: Tensor, matrix: tuple[float, ...]) -> Tensor:
    """PIL's affine map, nearest pixels, of an image [C, H, W] of 8-bit values."""
    planes = [Image.fromarray(plane) for plane in (image * 255).round().byte().numpy()]
    maps = [np.asarray(plane.transform(plane.size, Image.Transform.AFFINE, matrix)) for plane in planes]
    return torch.from_numpy(np.stack(maps)) / 255.0


@pytest.mark.parametrize("shape", [(12, 12), (9, 14)])
def test_rotation_is_that_of_torchvision(shape: tuple[int, int]) -> None:
    images, degrees = draw(3, *shape), amounts(-30, 30)
    for name in ("bilinear", "nearest"):
        found = geometry.rotated(images, degrees, name)  # type: ignore[arg-type]
        each = [
            TF.rotate(image, float(angle), InterpolationMode(name))
            for image, angle in zip(images, degrees, strict=True)
        ]
        torch.testing.assert_close(found, torch.stack(each), atol=2e-5, rtol=0)


def test_bilinear_rotation_brings_in_black() -> None:
    turned = geometry.rotated(torch.ones(1, 1, 16, 16), torch.tensor([45.0]))
    assert float(turned[0, 0, 0, 0]) == 0.0
    assert float(turned[0, 0, 8, 8]) == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(12, 12), (9, 14)])
def test_shears_and_shifts_are_those_of_pil(shape: tuple[int, int]) -> None:
    images, slope = draw(3, *shape), amounts(-0.3, 0.3)
    right, down = amounts(-3, 3), amounts(3, -3)
    for image, found_x, found_y, found, s, r, d in zip(
        images,
        geometry.sheared_x(images, slope),
        geometry.sheared_y(images, slope),
        geometry.moved(images, right, down),
        slope.tolist(),
        right.tolist(),
        down.tolist(),
        strict=True,
    ):
        assert torch.equal((found_x * 255).round(), (pillow(image, (1, s, 0, 0, 1, 0)) * 255).round())
        assert torch.equal((found_y * 255).round(), (pillow(image, (1, 0, 0, s, 1, 0)) * 255).round())
        assert torch.equal((found * 255).round(), (pillow(image, (1, 0, r, 0, 1, d)) * 255).round())


def test_shears_are_those_of_torchvision() -> None:
    images, slope = draw(), amounts(-0.3, 0.3)
    for image, found, s in zip(images, geometry.sheared_x(images, slope), slope.tolist(), strict=True):
        degrees = math.degrees(math.atan(s))
        expected = TF.affine(image, 0.0, [0, 0], 1.0, [degrees, 0.0], InterpolationMode.NEAREST, center=[0, 0])
        torch.testing.assert_close(found, expected)
    for image, found, s in zip(images, geometry.sheared_y(images, slope), slope.tolist(), strict=True):
        degrees = math.degrees(math.atan(s))
        expected = TF.affine(image, 0.0, [0, 0], 1.0, [0.0, degrees], InterpolationMode.NEAREST, center=[0, 0])
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("shape", [(12, 12), (9, 14)])
def test_a_resized_crop_is_that_of_torchvision(shape: tuple[int, int]) -> None:
    height, width = shape
    images = draw(3, *shape)
    boxes = Boxes(
        torch.tensor([0, 1, 2, 0, 3, height - 1]),
        torch.tensor([0, 2, 0, 3, 3, width - 1]),
        torch.tensor([height, 5, 7, height, 6, 1]),
        torch.tensor([width, 7, width, 4, 6, 1]),
    )
    found = geometry.resized_crop(images, boxes)
    for image, one, *box in zip(images, found, *boxes, strict=True):
        expected = TF.resized_crop(image, *map(int, box), [height, width], InterpolationMode.BILINEAR, antialias=False)
        torch.testing.assert_close(one, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0], images[0])


@pytest.mark.parametrize(("shape", "scale"), [((32, 32), (0.2, 1.0)), ((24, 30), (0.5, 1.0)), ((12, 40), (0.9, 1.0))])
def test_boxes_follow_the_law_of_torchvision(shape: tuple[int, int], scale: tuple[float, float]) -> None:
    height, width = shape
    torch.manual_seed(0)
    boxes = geometry.random_boxes(torch.empty(20_000, 1, height, width), scale, DRAWS)
    assert ((boxes.top >= 0) & (boxes.top + boxes.height <= height)).all()
    assert ((boxes.left >= 0) & (boxes.left + boxes.width <= width)).all()
    image = torch.empty(1, height, width)
    transform = v2.RandomResizedCrop(shape, scale=scale)
    theirs = [transform.make_params([image]) for _ in range(1500)]
    for name in ("top", "left", "height", "width"):
        ours = getattr(boxes, name).numpy()
        # rounded values tie often, which makes this test milder than its level says
        assert ks_2samp(ours, [params[name] for params in theirs]).pvalue > 1e-3, name


def test_flips_only_the_chosen() -> None:
    images = draw()
    which = torch.tensor([True, False, True, False, False, True])
    found = geometry.flipped(images, which)
    assert torch.equal(found[which], TF.horizontal_flip(images[which]))
    assert torch.equal(found[~which], images[~which])


def test_holes_are_where_the_boxes_say_and_end_at_the_edge() -> None:
    images = draw(2, 5, 6)
    boxes = Boxes(*torch.tensor([[0, -2, 3, 2, 4, 9], [0, 4, -1, 2, 0, 9], [2, 3, 9, 0, 1, 2], [3, 9, 2, 4, 6, 2]]))
    found = geometry.hidden(images, boxes, 0.25)
    for image, one, top, left, height, width in zip(images, found, *(box.tolist() for box in boxes), strict=True):
        expected = image.clone()
        expected[:, max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = 0.25
        assert torch.equal(one, expected)


def test_random_holes_have_even_sides_up_to_the_most_and_any_centre() -> None:
    torch.manual_seed(0)
    holes = geometry.random_holes(torch.empty(4000, 1, 7, 9), 16, DRAWS)
    sides, counts = holes.height.unique(return_counts=True)
    assert torch.equal(holes.height, holes.width)
    assert sides.tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    expected = torch.tensor([1, 2, 2, 2, 2, 2, 2, 2, 1]) * 4000 / 16  # lengths 1; 2, 3; ...; 14, 15; 16
    assert ((counts - expected).abs() < 5 * expected.sqrt()).all()
    assert (holes.top + holes.height // 2).unique().tolist() == list(range(7))
    assert (holes.left + holes.width // 2).unique().tolist() == list(range(9))
