from __future__ import annotations

import pytest
import torch
from skimage.metrics import structural_similarity as oracle
from torch import Tensor

from harness.builtin.metrics.structural_similarity import structural_similarity, windowed
from harness.errors import EvaluationError


def images(channels: int, height: int, width: int, seed: int, n: int = 3) -> Tensor:
    noise = torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 2 * noise - 1


def by_scikit_image(a: Tensor, b: Tensor) -> float:
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 2.0}
    return float(oracle(a.numpy(), b.numpy(), channel_axis=0, **how))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 11, 17), (1, 11, 11)])
def test_agrees_with_scikit_image_on_grey_and_colour(shape: tuple[int, int, int]) -> None:
    a = images(*shape, seed=0)
    b = (a + 0.4 * images(*shape, seed=1)).clamp(-1, 1)
    expected = [by_scikit_image(x, y) for x, y in zip(a, b, strict=True)]
    assert structural_similarity(a, b, 2.0).tolist() == pytest.approx(expected, abs=1e-12)
    assert 0.2 < expected[0] < 0.99


def test_equal_images_score_one_and_opposite_contrast_below_zero() -> None:
    grey, contrast = 0.5, 0.4 * images(3, 32, 32, seed=0)
    assert structural_similarity(grey + contrast, grey + contrast, 2.0).tolist() == pytest.approx([1.0] * 3)
    assert float(structural_similarity(grey + contrast, grey - contrast, 2.0).max()) < -0.5


def test_flat_images_are_compared_by_their_means() -> None:
    a, b = torch.full((1, 1, 16, 16), 0.5), torch.full((1, 1, 16, 16), -0.25)
    c1 = 0.02**2
    assert float(structural_similarity(a, b, 2.0)) == pytest.approx((2 * 0.5 * -0.25 + c1) / (0.25 + 0.0625 + c1))


def test_the_window_keeps_a_constant_and_falls_off_as_a_gaussian() -> None:
    point = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    point[0, 0, 10, 10] = 1.0
    seen = windowed(point)[0, 0]
    assert float(seen.sum()) == pytest.approx(1.0)
    assert float(seen[5, 5] / seen[5, 8]) == pytest.approx(torch.tensor(9 / 4.5).exp().item(), rel=1e-6)


def test_images_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(EvaluationError, match="11 pixels a side, images of 8x20 are smaller"):
        structural_similarity(images(1, 8, 20, 0), images(1, 8, 20, 1), 2.0)
