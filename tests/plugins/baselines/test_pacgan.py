"""PacGAN: what a pack is, what the discriminator sees, and which batches are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from harness_baselines.pacgan import packed
from resuming import same

from harness import Seeds, SettingsError

#: builds a method that is ready to step; see conftest.py
Build = Callable[..., Any]


@pytest.mark.parametrize("shape", [(12, 3, 4, 5), (12, 2)])
@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_a_pack_is_m_images_after_each_other(shape: tuple[int, ...], m: int) -> None:
    images = torch.arange(float(torch.Size(shape).numel())).reshape(shape)
    slow = [torch.cat(list(images[start : start + m])) for start in range(0, 12, m)]
    assert torch.equal(packed(images, m), torch.stack(slow))


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_packs_hold_real_images_or_fakes_and_never_both(
    build: Build, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, seen = build("pacgan", dataset, pack=4), []
    discriminator = running.method.pair.discriminator
    forward = discriminator.forward
    monkeypatch.setattr(discriminator, "forward", lambda x: (seen.append(x), forward(x))[1])
    real = running.stream.data.at(running.stream._indices(0, 8)).images
    running.steps(0, 1)
    assert [len(images) for images in seen] == [2, 2, 2]  # real, fake, the generator's fake
    assert torch.equal(seen[0], packed(real, 4))
    unpacked = seen[1].reshape(real.shape)
    assert not any(torch.equal(a, b) for a in unpacked for b in real)
    assert running.method.trained().sample(Seeds(0, range(3))).images.shape == (3, *real.shape[1:])


@pytest.mark.parametrize("dataset", ["digits", "ring2d"])
def test_packs_of_one_make_a_plain_gan(build: Build, dataset: str) -> None:
    plain = {"loss": "nsgan", "d_steps": 1, "passes": "separate", "ema": {"decay": 0.0}, "conditional": False}
    adam = {"lr": 1e-3, "betas": (0.5, 0.9)}
    adams = {"generator_adam": adam, "discriminator_adam": adam}
    pair = build("pacgan", dataset, pack=1, **adams), build("gan", dataset, **plain, **adams)
    for running in pair:
        running.steps(0, 3)
    ours, theirs = (running.saved() for running in pair)
    assert same(ours, theirs)


def test_a_batch_that_cannot_be_divided_is_refused_with_one_that_can(build: Build) -> None:
    with pytest.raises(SettingsError, match="batch of 64 cannot be divided into packs of 3") as caught:
        build("pacgan", pack=3, batch_size=64)
    size = int(str(caught.value).rpartition("=")[2])
    build("pacgan", pack=3, batch_size=size).steps(0, 1)
