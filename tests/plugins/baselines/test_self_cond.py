"""The self-conditioned GAN: what is clustered when, what labels images in between, and what is sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_baselines.self_cond import clustered
from resuming import same
from torch import nn

from harness import Seeds, SettingsError
from harness.contracts.capabilities import Clusterer, Sampler, told_labels

#: builds a method that is ready to step; see conftest.py
Build = Callable[..., Any]

FAST = {"clusters": 6, "restarts": 2, "clustered": 300, "recluster_every": 3, "discriminator_adam": {"lr": 1e-2}}


def weights(network: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def start(build: Build, dataset: str = "digits", **settings: Any) -> Any:
    return build("self-cond-gan", dataset, **{**FAST, **settings})


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_it_is_clustered_at_first_and_every_so_many_steps(build: Build, dataset: str) -> None:
    running, when = start(build, dataset), []
    for step in range(5):
        before = weights(running.method.frozen), running.method.centres.clone()
        live = weights(running.method.pair.discriminator)
        running.steps(step, step + 1)
        after = weights(running.method.frozen)
        if not torch.equal(before[1], running.method.centres):
            when.append(step)
            assert same(after, live)  # frozen as it was before the step
        else:
            assert same(after, before[0])
    assert when == [0, 3]


def test_images_are_told_the_nearest_centre_in_the_frozen_discriminators_features(build: Build) -> None:
    running = start(build, backbone={"discriminator": "strided"})
    running.steps(0, 3)
    method, images = running.method, running.stream.next().images
    with torch.no_grad():
        features = method.frozen(images, torch.ones(8, dtype=torch.int64)).feature
    slow = [min(range(6), key=lambda k: float((feature - method.centres[k]).norm())) for feature in features]
    assert method.cluster_of(images).tolist() == slow
    assert not method.frozen.training


def test_real_and_fake_images_are_told_the_same(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    running, seen = start(build), []
    running.steps(0, 1)
    discriminator, generator = running.method.pair.discriminator, running.method.pair.generator
    for network in (discriminator, generator):
        monkeypatch.setattr(network, "forward", lambda x, y, *n, f=network.forward: (seen.append(y), f(x, y, *n))[1])
    position = running.stream.position
    running.steps(1, 2)
    real = running.stream.data.at(running.stream._indices(position, 8)).images
    expected = running.method.cluster_of(real)
    assert len(seen) == 5  # fakes, their critique, that of real images; the generator's fakes and theirs
    assert all(torch.equal(told, expected) for told in seen)


def test_the_prior_is_the_share_of_each_cluster_and_what_samples_follow(build: Build) -> None:
    running = start(build)
    trained = running.method.trained()  # asked for before anything is clustered
    assert running.method.prior.tolist() == pytest.approx([1 / 6] * 6)
    running.steps(0, 1)
    counts = running.method.labels.bincount(minlength=6)
    torch.testing.assert_close(running.method.prior, counts / 300)
    drawn = trained.sample(Seeds(0, range(2000))).conditions.bincount(minlength=6) / 2000
    torch.testing.assert_close(drawn, running.method.prior, atol=0.05, rtol=0)
    assert counts.max() > 1.5 * counts.min()  # else uniform draws would have passed


def test_images_are_assigned_to_the_clusters_that_they_made(build: Build) -> None:
    running = start(build)
    running.steps(0, 2)
    trained = running.method.trained()
    assert isinstance(trained, Clusterer)
    assert isinstance(trained, Sampler)
    assert not told_labels(trained)
    images = running.stream.data.at(clustered(300, 1437, running.ctx.seed)).images
    assert torch.equal(trained.assign(images), running.method.labels)
    assert set(trained.networks) == {"generator", "features"}


def test_clusters_in_features_that_stayed_the_same_keep_their_numbers(build: Build) -> None:
    running = start(build, discriminator_adam={"lr": 1e-12})
    running.steps(0, 1)
    first = 5 - running.method.labels  # numbers that k-means would not give by itself
    running.method.labels.copy_(first)
    running.steps(3, 4)
    assert (running.method.labels == first).float().mean() > 0.9  # k-means goes on from where it nearly stood


@pytest.mark.parametrize("dataset", ["digits", "ring2d", "gaussian_clusters"])
def test_goes_on_to_the_bit_across_clusterings(build: Build, dataset: str) -> None:
    whole = start(build, dataset)
    whole.steps(0, 5)
    for stop in (1, 3):
        first, second = start(build, dataset), start(build, dataset, seed=1)
        first.steps(0, stop)
        second.load(first.saved())
        second.stream.load_state_dict(first.stream.state_dict())
        second.ctx.seed = first.ctx.seed  # only the initial weights were to differ
        second.steps(stop, 5)
        assert same(second.saved(), whole.saved())


def test_the_same_images_are_clustered_each_time() -> None:
    index = clustered(300, 1437, 5)
    assert torch.equal(index, clustered(300, 1437, 5))
    assert len(index.unique()) == 300
    assert 0 <= int(index.min()) <= int(index.max()) < 1437
    assert not torch.equal(index, clustered(300, 1437, 6))
    assert torch.equal(clustered(4, None, 0), torch.arange(4))


def test_more_clusters_than_images_are_refused(build: Build) -> None:
    with pytest.raises(SettingsError, match="300 images cannot make 301 clusters"):
        start(build, clusters=301)
    with pytest.raises(SettingsError, match="1437 images cannot make 2000 clusters"):
        start(build, clusters=2000, clustered=25_000)


def test_state_has_the_same_names_and_shapes_from_the_start(build: Build) -> None:
    def shapes(running: Any) -> dict[str, Any]:
        return {name: value.shape for name, value in running.method.state().items() if hasattr(value, "shape")}

    running = start(build)
    before = shapes(running)
    running.steps(0, 4)
    assert shapes(running) == before
    assert set(before) == {"centres", "labels", "prior"}
