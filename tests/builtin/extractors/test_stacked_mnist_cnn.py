from __future__ import annotations

import pytest
import torch
from floats import assert_floats_are_seen
from torch import Tensor

from harness.builtin.extractors.stacked_mnist_cnn import joint
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import Extractor, open_extractor

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def single(catalog: Catalog) -> Extractor:
    return open_extractor(catalog, "mnist-cnn", CPU)


@pytest.fixture(scope="module")
def stacked(catalog: Catalog) -> Extractor:
    return open_extractor(catalog, "stacked-mnist-cnn", CPU)


def images(side: int = 28) -> Tensor:
    shape = (5, 3, side, side)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(side))


@pytest.mark.parametrize("side", [28, 32])
def test_features_are_those_of_the_three_channels_side_by_side(
    single: Extractor, stacked: Extractor, side: int
) -> None:
    channels = [single(images(side)[:, [channel]])["features"] for channel in range(3)]
    found = stacked(images(side))["features"]
    assert found.shape == (5, 192)
    assert torch.allclose(found, torch.cat(channels, dim=1), rtol=1e-4, atol=1e-4)


def test_logits_are_joint_log_probabilities_with_the_first_channel_as_hundreds(
    single: Extractor, stacked: Extractor
) -> None:
    a, b, c = ((2.0 * single(images()[:, [channel]])["logits"].double()).log_softmax(1) for channel in range(3))
    found = stacked(images())["logits"].double()
    assert found.shape == (5, 1000)
    assert torch.allclose(found.exp().sum(1), torch.ones(5, dtype=torch.float64), atol=1e-5)
    for number in (0, 7, 123, 405, 999):
        expected = a[:, number // 100] + b[:, number // 10 % 10] + c[:, number % 10]
        assert torch.allclose(found[:, number], expected, rtol=1e-4, atol=1e-4)


def test_the_likeliest_number_is_spelt_by_the_likeliest_digits() -> None:
    digits = torch.full((1, 3, 10), -9.0)
    digits[0, 0, 4] = digits[0, 1, 0] = digits[0, 2, 7] = 0.0
    assert int(joint(digits).argmax()) == 407


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 8), (3, 28, 32), (2,)])
def test_other_shapes_are_refused(stacked: Extractor, shape: tuple[int, ...]) -> None:
    with pytest.raises(EvaluationError, match="'stacked-mnist-cnn' takes 3x28x28 or 3x32x32 images"):
        stacked.check(shape)


def test_floats_are_seen_as_they_are(stacked: Extractor) -> None:
    assert_floats_are_seen(stacked, images())
