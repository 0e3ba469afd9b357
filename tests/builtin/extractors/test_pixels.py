from __future__ import annotations

import pytest
import torch
from floats import assert_floats_are_seen

from harness.builtin.extractors.pixels import MOST, Pixels
from harness.builtin.extractors.registry import SPECS
from harness.errors import EvaluationError


def test_pixels_are_flattened_to_the_unit_range() -> None:
    images = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2) * 10
    features = Pixels()(images)["features"]
    assert torch.equal(features, torch.arange(24).reshape(2, 12) * 10 / 255)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 64, 64), (1, 64, 192)])
def test_small_images_are_taken(shape: tuple[int, ...]) -> None:
    Pixels().check(shape)


@pytest.mark.parametrize("shape", [(3, 65, 64), (1, 128, 128)])
def test_images_whose_covariance_would_fill_the_memory_are_refused(shape: tuple[int, ...]) -> None:
    given = "x".join(map(str, shape))
    with pytest.raises(EvaluationError, match=f"up to 12,288 values, not {given} = 1.,...; name another: --set .*effi"):
        Pixels().check(shape)


def test_the_registry_says_how_large_an_image_may_be() -> None:
    (accepts,) = (spec.accepts for spec in SPECS if spec.name == "pixels")
    assert f"{MOST:,}" in accepts


def test_points_are_refused() -> None:
    with pytest.raises(EvaluationError, match="takes images"):
        Pixels().check((2,))


def test_floats_are_seen_as_they_are() -> None:
    assert_floats_are_seen(Pixels(), torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2) * 10)
