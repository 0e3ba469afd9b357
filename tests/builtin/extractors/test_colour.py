from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.builtin.extractors.colour import ColourExtractor, three_channels
from harness.errors import EvaluationError


def extractor() -> ColourExtractor:
    def look(images: Tensor) -> dict[str, Tensor]:
        assert not torch.is_grad_enabled()
        assert torch.get_float32_matmul_precision() == "highest"
        return {"features": images.float().mean((2, 3))}

    return ColourExtractor("net", look, outputs=("features",), resize="none", device=torch.device("cpu"))


def test_grey_images_are_shown_as_three_equal_channels(grey: Tensor) -> None:
    shown = three_channels(grey)
    assert shown.shape == (3, 3, 40, 52)
    assert all(torch.equal(shown[:, channel], grey[:, 0]) for channel in range(3))
    assert torch.equal(extractor()(grey)["features"], grey.float().mean((2, 3)).repeat(1, 3))


def test_colour_images_are_shown_as_they_are(colour: Tensor) -> None:
    assert torch.equal(three_channels(colour), colour)


def test_the_network_sees_full_precision_and_keeps_no_gradients(colour: Tensor) -> None:
    torch.set_float32_matmul_precision("high")
    try:
        extractor()(colour)
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("shape", [(2, 8, 8), (4, 8, 8), (3, 8), (2,)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(EvaluationError, match="'net' takes images of 1 or 3 channels, not"):
        extractor().check(shape)


def test_as_many_images_are_seen_at_once_as_suit_a_cpu() -> None:
    assert extractor().batch == 16
