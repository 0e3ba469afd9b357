"""Which of the two entropy weights is which: an experiment on scikit-learn's digits, and on MNIST where it is at hand.

The paper's appendix prints alpha = 5 (confidence of a sample) and beta = 1e-3 (balance of the partitions). With these,
most partitions die; the other way round, which this package takes as its default, all of them are used.
"""

from __future__ import annotations

import pytest
import torch
from harness_pgmgan.clustering import labels_of, partition_loss, prior_of
from harness_pgmgan.neighbours import drawn_neighbours, neighbour_lists
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor, nn

from harness.catalog import Catalog
from harness.data import load_dataset
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.training.batch_draws import BatchDraws

K, BATCH, STEPS = 20, 128, 400


@pytest.fixture(scope="module", params=["digits", "mnist", "mnist-cnn"])
def features(request: pytest.FixtureRequest, catalog: Catalog) -> Tensor:
    """Principal components [N, 32] of pixels, or of what a network sees in them."""
    if request.param == "digits":
        seen = load_digits().data
    else:
        split = load_dataset(catalog, "mnist", request.getfixturevalue("real_data")).finite("train")
        images = torch.from_numpy(split.values[:2000])
        network = open_extractor(catalog, "mnist-cnn", torch.device("cpu"))
        seen = (network(images)["features"] if request.param == "mnist-cnn" else images.flatten(1)).double().numpy()
    points = torch.from_numpy(PCA(32, random_state=0).fit_transform(seen)).float()
    return points / points.std()


@pytest.fixture(scope="module")
def lists(features: Tensor) -> Tensor:
    return neighbour_lists(features, 10, nearness="euclidean")


def prior_with(weights: dict[str, float], features: Tensor, lists: Tensor, seed: int) -> Tensor:
    """Shares of the partitions that a small network finds."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, K))
    adam, draws = torch.optim.Adam(network.parameters(), 1e-3), BatchDraws(torch.device("cpu"))
    for _ in range(STEPS):
        anchors = torch.randint(len(features), (BATCH,))
        neighbours = drawn_neighbours(lists, anchors, draws)
        terms = partition_loss(network(features[anchors]), network(features[neighbours]), **weights)
        adam.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        adam.step()
    with torch.no_grad():
        return prior_of(labels_of(network(features)), K)


@pytest.mark.parametrize("seed", [0, 1])
def test_by_default_every_partition_stays_alive(features: Tensor, lists: Tensor, seed: int) -> None:
    prior = prior_with({}, features, lists, seed)
    assert (prior > 0.01).all()
    assert prior.max() < 0.12  # 0.05 would be all of one size


@pytest.mark.parametrize("seed", [0, 1])
def test_the_printed_weights_leave_few_alive(features: Tensor, lists: Tensor, seed: int) -> None:
    prior = prior_with({"sample_weight": 5.0, "mean_weight": 1e-3}, features, lists, seed)
    assert (prior > 0).sum() <= K // 2
    assert prior.max() > 0.2
