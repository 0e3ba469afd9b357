"""Samples to look at are the samples that are measured."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.contracts.capabilities import Samples
from harness.contracts.settings import EvaluationSettings
from harness.evaluation import generated_blocks
from harness.runs.pictures.draw import draw


class Trained:
    """A generator with dropout, so that eval mode and seeds can be told."""

    def __init__(self) -> None:
        self.networks = {"generator": nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))}
        self.subject = {}
        self.told: list[torch.Tensor | None] = []

    def sample(self, seeds, conditions=None):
        self.told.append(conditions)
        latents = seeds.normal("latent", 3)
        drawn = seeds.integers("condition", 5) if conditions is None else conditions
        return Samples(self.networks["generator"](latents) + drawn[:, None], drawn, latents)


SETTINGS = EvaluationSettings(block=8)


def test_they_are_the_ones_that_evaluation_measures():
    trained = Trained()
    blocks = list(generated_blocks(trained, seed=3, count=20, block=8))
    assert torch.equal(draw(trained, 20, 3, SETTINGS).images, torch.cat([block.images for block in blocks]))


@pytest.mark.parametrize("count", [3, 8, 11])
def test_a_smaller_count_is_a_prefix(count):
    trained = Trained()
    assert torch.equal(draw(trained, count, 0, SETTINGS).images, draw(trained, 20, 0, SETTINGS).images[:count])


def test_the_classes_asked_for_are_told_in_order():
    trained = Trained()
    wanted = torch.arange(11) % 5
    samples = draw(trained, 11, 0, SETTINGS, wanted)
    assert torch.equal(samples.conditions, wanted)
    assert all(len(told) == 8 for told in trained.told)


def test_the_networks_are_left_in_training_mode():
    trained = Trained()
    trained.networks["generator"].train()
    draw(trained, 4, 0, SETTINGS)
    assert trained.networks["generator"].training
