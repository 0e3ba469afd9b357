"""MGAN: generators that share all but their first layer, and the loss that tells them apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_baselines.mgan import HEAD
from torch import Tensor, nn

from harness import Batch, Critique

#: builds a method that is ready to step; see conftest.py
Build = Callable[..., Any]

K = 3


def test_all_generators_get_the_same_latents_and_make_as_many_images(build: Build) -> None:
    running = build("mgan", generators=K, fakes=4)
    generator = running.method.pair.generator.eval()
    torch.manual_seed(2)
    images, maker = running.method.fakes()
    torch.manual_seed(2)
    latents = torch.randn(4, generator.latent_dim)
    assert images.shape == (12, 1, 8, 8)
    assert maker.bincount().tolist() == [4] * K
    for number in range(K):
        torch.testing.assert_close(images[maker == number], generator(latents, torch.full((4,), number)))


def test_the_classifier_learns_who_made_a_fake_and_generators_help_it_by_beta(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = build("mgan", generators=K, fakes=4, beta=0.25)
    sure = 2.0  # the classifier gives the true maker this logit, the others 0
    forward = running.method.pair.discriminator.forward

    def judged(images: Tensor) -> Critique:
        critique = forward(images)
        if len(images) == 12:
            truth = nn.functional.one_hot(torch.arange(K).repeat(4), K).float()
            critique.heads[HEAD] = 0 * critique.heads[HEAD] + sure * truth
        return critique

    monkeypatch.setattr(running.method.pair.discriminator, "forward", judged)
    running.steps(0, 1)
    terms = running.ctx.meters.drain()
    entropy = math.log(1 + (K - 1) * math.exp(-sure))
    assert terms["discriminator/classifier"] == pytest.approx(entropy, rel=1e-5)
    assert terms["generator/classifier"] == pytest.approx(0.25 * entropy, rel=1e-5)
    assert terms["classified"] == 1.0


def test_the_classifier_learns_to_tell_generators_apart(build: Build) -> None:
    adam = {"lr": 1e-2, "betas": (0.5, 0.9)}
    running = build("mgan", generators=K, fakes=8, discriminator_adam=adam, generator_adam={"lr": 1e-9})
    running.steps(0, 1)
    before = running.ctx.meters.drain()["discriminator/classifier"]
    running.steps(1, 20)
    running.ctx.meters.drain()
    running.steps(20, 21)
    assert running.ctx.meters.drain()["discriminator/classifier"] < 0.9 * before


def test_labels_are_not_needed(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    running = build("mgan", generators=K)
    images = running.stream.next().images
    monkeypatch.setattr(running.stream, "next", lambda: Batch(images, None, torch.arange(8)))
    running.steps(0, 1)
