"""What a network trained with labels sees in images, block by block, and the principal components of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from harness_baselines.classifier import principal_components, seen_by
from torch import Tensor

from harness.catalog import Catalog
from harness.data import load_dataset
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import open_extractor


class Counting:
    """A feature network in double precision that sees the mean of an image, and notes how many it is shown."""

    outputs = ("features",)
    resize = "native"
    batch = 4

    def __init__(self) -> None:
        self.shown: list[int] = []

    def check(self, shape: tuple[int, ...]) -> None:
        if shape != (1, 2, 2):
            raise EvaluationError(f"takes 1x2x2, not {shape}")

    def __call__(self, images: Tensor) -> Mapping[str, Tensor]:
        self.shown.append(len(images))
        return {"features": images.double().mean((2, 3))}


def test_features_are_the_networks_own(catalog: Catalog) -> None:
    extractor = open_extractor(catalog, "digits-cnn", torch.device("cpu"))
    values = torch.from_numpy(load_dataset(catalog, "digits", Path("none")).finite("train").values[:200])
    whole = extractor(values)["features"]
    torch.testing.assert_close(seen_by(extractor, values), whole)
    with pytest.raises(EvaluationError):
        seen_by(extractor, torch.zeros(2, 3, 32, 32, dtype=torch.uint8))


def test_the_network_is_never_shown_more_images_than_it_takes_and_all_come_back_in_order() -> None:
    network = Counting()
    images = torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    seen = seen_by(network, images)
    assert network.shown == [4, 4, 2]
    assert torch.equal(seen, torch.arange(10.0)[:, None])
    assert seen.dtype == torch.float32


def test_images_that_the_network_does_not_take_are_never_shown_to_it() -> None:
    network = Counting()
    with pytest.raises(EvaluationError, match="not \\(1, 2, 3\\)"):
        seen_by(network, torch.zeros(5, 1, 2, 3, dtype=torch.uint8))
    assert network.shown == []


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_principal_components_are_those_of_the_singular_values(shape: tuple[int, int]) -> None:
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0)) + 5.0
    found = principal_components(features, 4)
    centred = features.double().numpy() - features.double().numpy().mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.numpy()), np.abs(left * values)[:, :4], atol=1e-3)
    assert principal_components(features, 100).shape == (shape[0], 6)


def test_principal_components_do_not_hang_on_a_global_seed() -> None:
    # of this size scikit-learn takes a randomised solver when it may choose
    features = torch.randn(600, 1200, generator=torch.Generator().manual_seed(0))
    found = []
    for seed in (0, 1):
        np.random.seed(seed)
        found.append(principal_components(features, 5))
    assert torch.equal(*found)
