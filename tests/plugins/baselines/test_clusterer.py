"""A sampler of clusters: which weights it samples from, how often each cluster comes, and what it says of images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from harness_baselines.clusterer import ClusteringSampler
from torch import Tensor, nn

from harness import Average, Seeds
from harness.contracts.capabilities import Clusterer, told_labels
from harness.contracts.networks import Generator, Noise

FEATURES = nn.Linear(2, 1)


class Shifted(Generator):
    """Points near (10 k, 10 k) for cluster k."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_dim, self.places = 2, ()
        self.scale = nn.Parameter(torch.tensor(0.1))

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        assert condition is not None
        return self.scale * latent + 10.0 * condition[:, None]


def nearest(images: Tensor) -> Tensor:
    return (images.mean(1) / 10).round().long()


def sampler(prior: Tensor, decay: float = 0.5) -> ClusteringSampler:
    generator = Shifted()
    pair: Any = SimpleNamespace(generator=generator, average=Average(generator, decay))
    return ClusteringSampler(pair, prior, FEATURES, nearest)


@pytest.mark.parametrize(("decay", "weights"), [(0.5, "ema"), (0.0, "raw")])
def test_samples_come_from_the_average_unless_there_is_none_and_say_so(decay: float, weights: str) -> None:
    generator = Shifted()
    average = Average(generator, decay)
    pair: Any = SimpleNamespace(generator=generator, average=average)
    found = ClusteringSampler(pair, torch.ones(3) / 3, FEATURES, nearest)
    assert found.generator is (average.module if decay else generator)
    assert found.subject == {"weights": weights}


def test_clusters_come_as_often_as_the_prior_says_also_when_it_changes_afterwards() -> None:
    prior = torch.tensor([1.0, 0.0, 0.0])
    found = sampler(prior)
    assert found.sample(Seeds(0, range(50))).conditions.unique().tolist() == [0]
    prior.copy_(torch.tensor([0.0, 0.75, 0.25]))
    shares = found.sample(Seeds(0, range(2000))).conditions.bincount(minlength=3) / 2000
    torch.testing.assert_close(shares, prior, atol=0.03, rtol=0)


def test_a_sample_is_assigned_to_the_cluster_that_it_was_told() -> None:
    found = sampler(torch.ones(4) / 4)
    samples = found.sample(Seeds(0, range(40)))
    assert torch.equal(found.assign(samples.images), samples.conditions)
    told = torch.arange(4).repeat(3)
    assert torch.equal(found.assign(found.sample(Seeds(0, range(12)), told).images), told)


def test_it_assigns_clusters_and_names_the_network_that_they_are_found_in() -> None:
    found = sampler(torch.ones(2) / 2)
    assert isinstance(found, Clusterer)
    assert not told_labels(found)  # a cluster is no label of the data set
    assert found.networks == {"generator": found.generator, "features": FEATURES}
