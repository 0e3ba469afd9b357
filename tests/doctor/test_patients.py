"""Stand-ins for trained methods answer as they say: every number of theirs is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.contracts.capabilities import CAPABILITIES
from harness.contracts.data import Split
from harness.contracts.stream import as_float
from harness.doctor.patients import Grouper, Linear, Rebuilder, Replay, Scorer
from harness.randomness import Seeds, keyed


@pytest.fixture
def split() -> Split:
    """Nine images of three classes, each about as bright as its class says."""
    noise = keyed("patients").integers(0, 40, (9, 1, 4, 4))
    labels = np.arange(9, dtype=np.int64) % 3
    return Split((noise + 100 * labels[:, None, None, None]).astype(np.uint8), labels, ("dark", "grey", "light"))


@pytest.fixture
def images(split: Split) -> torch.Tensor:
    return as_float(torch.from_numpy(split.values))


@pytest.mark.parametrize(
    ("patient", "capability"),
    [
        (Replay, "sample"),
        (Rebuilder, "reconstruct"),
        (Scorer, "outlier_scores"),
        (Grouper, "assign"),
        (Linear, "latents"),
        (Linear, "latent_scale"),
    ],
)
def test_each_has_the_capability_that_it_stands_for(split: Split, patient: type, capability: str) -> None:
    given = {Rebuilder: (split, np.copy), Scorer: (split, 0.0), Linear: (torch.ones(2), (1, 4, 4))}
    assert isinstance(patient(*given.get(patient, (split,))), CAPABILITIES[capability])


def test_samples_are_the_items_of_a_set_over_and_over(split: Split, images: torch.Tensor) -> None:
    replay = Replay(split)
    found = replay.sample(Seeds(0, [8, 9, 20]))
    assert torch.equal(found.images, images[[8, 0, 2]])
    assert found.conditions is not None
    assert found.conditions.tolist() == [2, 0, 2]
    assert (replay.n_conditions, replay.told_labels) == (3, True)
    again = replay.sample(Seeds(99, [8, 9, 20]))  # whatever the seed of the run
    assert torch.equal(again.images, found.images)


def test_items_without_labels_are_told_nothing(split: Split) -> None:
    replay = Replay(Split(split.values, None, ()))
    assert replay.sample(Seeds(0, [0])).conditions is None
    assert (replay.n_conditions, replay.told_labels) == (0, False)


def test_images_are_rebuilt_with_what_spoils_them_alone(images: torch.Tensor, split: Split) -> None:
    assert torch.equal(Rebuilder(split, np.copy).reconstruct(images).images, images)
    inverted = Rebuilder(split, lambda stored: 255 - stored).reconstruct(images)
    assert torch.allclose(inverted.images, -images, rtol=0, atol=1e-6)
    assert torch.equal(inverted.latents, inverted.images.flatten(1))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_score_without_noise_is_the_distance_from_the_mean_image(
    split: Split, images: torch.Tensor, sign: float
) -> None:
    found = Scorer(split, 0.0, sign).outlier_scores(images)["distance"]
    expected = ((images - images.mean(0)) ** 2).mean((1, 2, 3))
    assert torch.allclose(found, sign * expected.double(), rtol=1e-6)


def test_noise_in_scores_has_its_spread_and_is_the_same_every_time(split: Split) -> None:
    many = torch.zeros(4000, 1, 4, 4)
    scorer, plain = Scorer(split, 0.3), Scorer(split, 0.0)
    noise = scorer.outlier_scores(many)["distance"] - plain.outlier_scores(many)["distance"]
    assert noise.std().item() == pytest.approx(0.3, rel=0.05)
    assert abs(noise.mean().item()) < 0.02
    assert torch.equal(scorer.outlier_scores(many)["distance"], scorer.outlier_scores(many)["distance"])


def test_images_are_grouped_by_the_nearest_class_mean(split: Split, images: torch.Tensor) -> None:
    assert Grouper(split).assign(images).tolist() == [0, 1, 2] * 3
    assert Grouper(split, merged=(1, 2)).assign(images).tolist() == [0, 1, 1] * 3
    assert Grouper(split, merged=(2, 0)).assign(images).tolist() == [2, 1, 2] * 3


GAINS = torch.tensor([2.0, 0.5, 0.1])


def test_each_latent_dimension_moves_a_direction_of_its_own_by_its_gain() -> None:
    linear = Linear(GAINS, (1, 4, 4))
    moved = linear.generate(torch.eye(3), 0)
    assert moved.shape == (3, 1, 4, 4)
    flat = moved.flatten(1)
    assert torch.allclose(flat @ flat.T, torch.diag(GAINS**2), atol=1e-6)
    assert torch.equal(linear.latent_scale(), GAINS)


def test_samples_are_made_of_the_latents_and_lead_back_to_them() -> None:
    linear, seeds = Linear(GAINS, (1, 4, 4)), Seeds(5, range(20))
    samples = linear.sample(seeds)
    assert torch.equal(samples.latents, linear.latents(seeds))
    assert torch.equal(samples.images, linear.generate(samples.latents, 0))
    back = linear.reconstruct(samples.images)
    assert torch.allclose(back.latents, samples.latents, atol=1e-4)
    assert torch.equal(back.images, samples.images)
