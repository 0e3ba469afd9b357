"""Stand-ins with other stages than a GAN's, or without an adversary, do what they stand for."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from resuming import final_state, same
from short_trainings import BATCH, Make, noted, ready, real_images, trained

from harness.builtin.metrics.outliers import OutlierDetection
from harness.catalog import Catalog
from harness.contracts import EvaluationSettings
from harness.data import load_dataset
from harness.evaluation import Bench, MetricContext
from harness.training.loop import Training
from harness.training.watching import Unwatched

N = BATCH

# -- an encoder after the GAN -------------------------------------------------------------------------


class AtTheEndOf(Unwatched):
    """Keeps what a method declares as it is after a stage."""

    def __init__(self, stage: str, step: int) -> None:
        self.where = (stage, step)
        self.training: Training | None = None
        self.kept: dict[str, Any] = {}

    def step_finished(self, stage: str, step: int, values: Any) -> None:
        if (stage, step) == self.where:
            assert self.training is not None
            self.kept = deepcopy(final_state(self.training))


def test_the_second_stage_leaves_the_gan_as_it_is(make: Make) -> None:
    watch = AtTheEndOf("gan", 3)
    training = watch.training = make("encoder-after/stand_in", watch=watch)
    training.run(resume=False)
    after = final_state(training)
    assert {name for name in after if not same(after[name], watch.kept[name])} == {"encoder", "encoder_adam"}
    assert len(after) == 7


def test_the_encoder_learns_latents_of_the_averaged_generator_s_images(make: Make) -> None:
    training = make("encoder-after/stand_in")
    method: Any = training.method
    losses, stream = noted(training), ready(training, 1)
    encoder = deepcopy(method.encoder)
    with torch.no_grad():  # an average that is not the generator
        method.pair.average.module.linear.weight.mul_(2)
    training.stages[1].step(stream)
    assert stream.position == 0
    ready(training, 1)
    z = training.ctx.latents(N, 6)
    with torch.no_grad():
        images = method.pair.average.module.eval()(z)
        expected = (encoder(images).heads["latent"] - z).square().mean()
    torch.testing.assert_close(losses["encoder"].detach(), expected)
    assert not same(encoder.state_dict(), method.encoder.state_dict())


def test_the_encoder_and_the_generator_rebuild_images(make: Make) -> None:
    training = make("encoder-after/stand_in")
    sampler, method, images = trained(training), training.method, real_images(training, N)
    with torch.no_grad():
        found, z = sampler.reconstruct(images), method.encoder(images).heads["latent"]
        assert found.latents.equal(z)
        assert found.images.equal(method.pair.average.module(z))


# -- a choice of training data ---------------------------------------------------------------------------


def test_the_better_half_of_each_class_is_trained_on_and_nothing_else(make: Make) -> None:
    training = make("selection/stand_in")
    training.run(resume=False)
    values, labels = training.data.values.numpy() / 127.5 - 1, training.data.labels.numpy()
    flat = values.reshape(len(values), -1)
    chosen = training.method.chosen.numpy()
    for k in range(10):
        own = flat[labels == k]
        distance = ((own - own.mean(0)) ** 2).sum(1)
        kept = chosen[labels == k]
        assert kept.sum() == (len(own) + 1) // 2
        assert distance[kept].max() <= distance[~kept].min() + 1e-3
    stream = ready(training, 1)
    epoch = [stream.next(size) for size in (100, int(chosen.sum()) - 100)]
    seen = torch.cat([batch.images for batch in epoch]).numpy().reshape(-1, flat.shape[1])
    expected = flat[chosen].astype(np.float32)
    assert np.array_equal(in_order(seen), in_order(expected))
    assert torch.cat([batch.labels for batch in epoch]).bincount().equal(torch.from_numpy(labels[chosen]).bincount())
    product = torch.load(training.folder.products / "selection.pt", weights_only=True)
    assert product["state"]["chosen"].numpy().tolist() == chosen.tolist()


def in_order(rows: np.ndarray) -> np.ndarray:
    """Rows in the order of their numbers, rounded."""
    rows = rows.round(4)
    return rows[np.lexsort(rows.T)]


# -- a classifier ------------------------------------------------------------------------------------------


def test_scores_are_energies_of_clipped_features(make: Make) -> None:
    training = make("energy/stand_in")
    scorer, images = trained(training), real_images(training, 50)
    method: Any = training.method
    with torch.no_grad():
        scorer.calibrate(images.split(20))
        features = method.encoder(images).feature.double().numpy()
        clip = np.quantile(features, 0.9)
        logits = (
            np.minimum(features, clip) @ method.linear.weight.double().numpy().T + method.linear.bias.double().numpy()
        )
        scores = scorer.outlier_scores(images)["energy"]
        assert scores.tolist() == pytest.approx((-np.log(np.exp(logits).sum(1))).tolist(), rel=1e-4)
        assert scorer.assign(images).tolist() == logits.argmax(1).tolist()
        assert (features > clip).any()
        by_blocks = float(scorer.clip)
        scorer.calibrate(images)  # image by image
        assert float(scorer.clip) == pytest.approx(by_blocks, rel=1e-5)
    assert by_blocks == pytest.approx(float(clip), rel=1e-5)


def test_outliers_are_measured(make: Make, all_methods: Catalog, tmp_path: Path) -> None:
    training = make("energy/stand_in")
    scorer = trained(training)
    noise = np.random.default_rng(0).integers(0, 256, (400, 1, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", arr_0=noise.transpose(0, 2, 3, 1))
    bench = Bench(scorer, load_dataset(all_methods, "digits", tmp_path), all_methods, 0, "cpu")
    settings = EvaluationSettings(outliers=(f"npz:{tmp_path / 'noise.npz'}",))
    (measurement,) = OutlierDetection().measurements(MetricContext(bench, settings))
    values = measurement.compute(**{role: bench.get(each) for role, each in measurement.evidence.items()})
    (auroc,) = values["auroc"]
    assert auroc.subject == {"score": "energy"}
    assert 0 <= auroc.value <= 1
    assert torch.isfinite(scorer.clip)


# -- two networks, one loss ---------------------------------------------------------------------------------


def test_one_adamw_steps_both_networks(make: Make) -> None:
    training = make("autoencoder/stand_in")
    method: Any = training.method
    stream = ready(training)
    encoder, decoder = deepcopy(method.encoder), deepcopy(method.decoder)
    training.stages[0].step(stream)
    images = ready(training).next().images
    by_hand = torch.optim.AdamW(
        [*encoder.parameters(), *decoder.parameters()], lr=1e-2, betas=(0.0, 0.999), weight_decay=1e-2
    )
    F.mse_loss(decoder(encoder(images).heads["latent"]), images).backward()
    by_hand.step()
    for ours, expected in ((method.encoder, encoder), (method.decoder, decoder)):
        torch.testing.assert_close(dict(ours.named_parameters()), dict(expected.named_parameters()))


def test_the_autoencoder_rebuilds_images(make: Make) -> None:
    training = make("autoencoder/stand_in")
    rebuilder, images = trained(training), real_images(training, N)
    with torch.no_grad():
        found, z = rebuilder.reconstruct(images), training.method.encoder(images).heads["latent"]
        assert found.latents.equal(z)
        assert found.images.equal(training.method.decoder(z))
    assert not hasattr(rebuilder, "sample")
