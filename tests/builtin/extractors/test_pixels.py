from __future__ import annotations

import pytest
import torch

from harness.builtin.extractors.pixels import Pixels
from harness.errors import EvaluationError


def test_pixels_are_flattened_to_the_unit_range() -> None:
    images = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2) * 10
    features = Pixels()(images)["features"]
    assert torch.equal(features, torch.arange(24).reshape(2, 12) * 10 / 255)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 128, 64)])
def test_any_image_is_taken(shape: tuple[int, ...]) -> None:
    Pixels().check(shape)


def test_points_are_refused() -> None:
    with pytest.raises(EvaluationError, match="takes images"):
        Pixels().check((2,))
