"""Networks take their spectral norms all at once: the numbers are those of layers that each take their own."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import pytest
import torch
from small_biggan import CONDITION, pair

from harness.builtin.models.residual import discriminator as discriminators, generator as generators
from harness.builtin.models.residual.sngan import build as build_sngan
from harness.builtin.models.residual.sngan_settings import SnganSettings


def biggan(resolution: int, **settings):
    generator, discriminator = pair(resolution, **settings)
    return generator.double(), discriminator.double()


def sngan():
    torch.manual_seed(0)
    built = build_sngan(SnganSettings(width=2), (1, 8, 8))
    return built.generator(conditions=3).double(), built.discriminator(conditions=3).double()


NETWORKS = {
    "biggan at 8 pixels": lambda: biggan(8),
    "biggan at 16 pixels with attention": lambda: biggan(16, attention=8),
    "biggan at 64 pixels with styles": lambda: biggan(64),
    "sngan with a biased projection": sngan,
}


@pytest.fixture
def alone(monkeypatch):
    """Called, it makes every layer take its own step from then on."""

    def switch():
        for module in (discriminators, generators):
            monkeypatch.setattr(module, "spectral_norms", lambda network: nullcontext())

    return switch


def vectors(*networks):
    return [value.clone() for network in networks for name, value in network.named_buffers() if name.endswith(".u")]


def trained(generator, discriminator, steps: int):
    """A few steps of hinge loss with a penalty on gradients, by Adam; weights and vectors of both."""
    side = discriminator.places[0].resolution * 2
    optimisers = [torch.optim.Adam(network.parameters(), 1e-3) for network in (generator, discriminator)]
    for step in range(steps):
        draws = torch.Generator().manual_seed(step)
        latent = torch.randn(3, generator.latent_dim, generator=draws, dtype=torch.float64)
        real = torch.randn(3, 1, side, side, generator=draws, dtype=torch.float64)
        with torch.no_grad():
            fake = generator(latent, CONDITION)
        scores = discriminator(real, CONDITION).score, discriminator(fake, CONDITION).score
        loss = (1 - scores[0]).relu().mean() + (1 + scores[1]).relu().mean()
        at = real.requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(at, CONDITION).score.sum(), at, create_graph=True)
        loss = loss + slope.square().sum()
        optimisers[1].zero_grad()
        loss.backward()
        optimisers[1].step()
        optimisers[0].zero_grad()
        (-discriminator(generator(latent, CONDITION), CONDITION).score.mean()).backward()
        optimisers[0].step()
    return [*generator.parameters(), *discriminator.parameters(), *vectors(generator, discriminator)]


@pytest.mark.parametrize("which", NETWORKS)
def test_training_goes_the_same_way(which, alone):
    networks = NETWORKS[which]()
    before = copy.deepcopy(networks)
    found = trained(*networks, 3)
    alone()
    for a, b in zip(found, trained(*before, 3), strict=True):
        # Adam divides gradients by their size: those that are 0 up to rounding move their parameters anyhow
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("which", NETWORKS)
def test_gradients_are_the_same(which, alone):
    generator, discriminator = NETWORKS[which]()
    before = copy.deepcopy((generator, discriminator))
    latent = torch.randn(3, generator.latent_dim, dtype=torch.float64)

    def gradients(generator, discriminator):
        score = discriminator(generator(latent, CONDITION), CONDITION).score
        return torch.autograd.grad(score.sum(), [*generator.parameters(), *discriminator.parameters()])

    found = gradients(generator, discriminator)
    alone()
    for a, b in zip(found, gradients(*before), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12 + 1e-9 * b.abs().max().item())
    torch.testing.assert_close(vectors(generator, discriminator), vectors(*before), rtol=1e-10, atol=1e-12)


def test_every_layer_takes_part(monkeypatch):
    """A layer that takes its own step ends it with an inner product; the group needs none."""
    generator, discriminator = pair(8)
    monkeypatch.setattr(torch, "dot", lambda *_: pytest.fail("a layer took its own step"))
    before = vectors(generator, discriminator)
    discriminator(generator(torch.randn(3, generator.latent_dim), CONDITION), CONDITION)
    for old, new in zip(before, vectors(generator, discriminator), strict=True):
        assert len(new) == 1 or not torch.equal(old, new)
