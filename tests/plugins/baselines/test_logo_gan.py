"""Logo-GAN: features from either source, clusters made once, and the GAN that is told them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_baselines import logo_gan
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from harness import SettingsError
from harness.clustering import k_means
from harness.errors import EvaluationError
from harness.randomness import derived_seed, seed_everything

#: builds a method that is ready to step; see conftest.py
Build = Callable[..., Any]

FAST = {"clusters": 10, "restarts": 2}
CLASSIFIER = {"recipe": "logo-gan/dcgan-rc", "extractor": "digits-cnn"}


def start(build: Build, **settings: Any) -> Any:
    return build("logo-gan", **{**FAST, **settings})


def first_stage(running: Any, steps: int = 0) -> None:
    stage = running.method.stages()[0]
    stage.begin()
    for step in range(steps):
        running.ctx.step = step
        seed_everything(0, "clusters", step)
        stage.step(running.stream)
    stage.finish(running.stream.data)


def test_the_autoencoder_learns_to_rebuild(build: Build) -> None:
    running = start(build, autoencoder={"adam": {"lr": 1e-2}})
    stage = running.method.stages()[0]
    stage.begin()
    losses = []
    for step in range(25):
        running.ctx.step = step
        stage.step(running.stream)
        losses.append(running.ctx.meters.drain()["autoencoder/pixels"])
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    # nothing of the GAN is touched
    fresh = start(build, autoencoder={"adam": {"lr": 1e-2}}).method.pair
    for ours, theirs in zip(running.method.pair.generator.parameters(), fresh.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_loss_is_the_mean_squared_difference_of_pixels(build: Build) -> None:
    running = start(build)
    method = running.method
    method.stages()[0].begin()
    real = running.stream.data.at(running.stream._indices(0, 8)).images
    with torch.no_grad():
        rebuilt = method.decoder(method.encoder(real).heads["code"])
    expected = float(np.mean((rebuilt.numpy() - real.numpy()) ** 2))
    method.autoencoder_step(running.stream)
    assert running.ctx.meters.drain()["autoencoder/pixels"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("discriminator", ["strided", "alternating"])
def test_codes_of_all_images_are_clustered_once(build: Build, discriminator: str) -> None:
    running = start(build, backbone={"discriminator": discriminator})
    first_stage(running, 2)
    method = running.method
    images = running.stream.data.at(torch.arange(1437)).images
    with torch.no_grad():
        codes = method.encoder.eval()(images).heads["code"]
    assert codes.shape == (1437, 8)
    expected = k_means(codes, 10, 2, derived_seed(0, "k-means"))
    assert adjusted_rand_score(expected.labels, method.labels) > 0.98
    assert method.prior.tolist() == pytest.approx((method.labels.bincount(minlength=10) / 1437).tolist())
    again = method.labels.clone()
    method.stages()[0].finish(running.stream.data)  # may be repeated
    assert torch.equal(method.labels, again)


def test_the_gan_is_told_the_clusters(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start(build)
    first_stage(running)
    clusters, gan = running.method.stages()
    assert clusters.products == ("labels", "prior")
    assert not clusters.samples
    data = gan.data(running.stream.data)
    assert torch.equal(data.labels, running.method.labels)
    seen = []
    monkeypatch.setattr(logo_gan, "conditional_step", lambda pair, real, told: seen.append((real, told)))
    stream = type(running.stream)(data, 8, (0, "gan"))
    gan.step(stream)
    index = stream._indices(0, 8)
    assert torch.equal(seen[0][1], running.method.labels[index])
    assert torch.equal(seen[0][0], data.at(index).images)


def test_features_of_a_classifier_find_the_classes_of_digits(build: Build) -> None:
    running = start(build, **CLASSIFIER, restarts=5)
    first_stage(running)
    truth = running.stream.data.labels
    assert normalized_mutual_info_score(truth, running.method.labels) > 0.8
    assert running.method.stages()[0].steps == 0
    assert not {"encoder", "decoder"} & set(running.method.state())


def test_without_weights_it_says_how_to_get_them_before_anything_is_trained(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    running = start(build, recipe="logo-gan/dcgan-rc")
    with pytest.raises(EvaluationError, match=f"{tmp_path}/resnet50/.* missing; get it with: harness weights fetch"):
        running.method.stages()[0].begin()


def test_the_autoencoder_takes_a_fifth_of_the_gans_steps(build: Build) -> None:
    assert [stage.steps for stage in start(build, steps=1000).method.stages()] == [200, 1000]
    assert [stage.steps for stage in start(build, steps=1).method.stages()] == [1, 1]


def test_clusters_may_come_from_another_run(build: Build) -> None:
    clusters, gan = start(build, clusters_from="there").method.stages()
    assert (clusters.source, gan.source) == ("there", None)


def test_more_clusters_than_images_are_refused(build: Build) -> None:
    with pytest.raises(SettingsError, match="1437 images cannot make 1500 clusters"):
        start(build, clusters=1500)
