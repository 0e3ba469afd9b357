"""Parameters and multiply-accumulates, against counting by hand."""

from __future__ import annotations

import torch
from styled_backbone import StyledSettings, build
from torch import nn

from harness.contracts.networks import Adapted, Critique, Discriminator, Generator, Place
from harness.layers.adapters import Adapters
from harness.training.cost import network_costs

PLACES = (Place("discriminator", "block", 1, 4, 8),)


class Widen(nn.Module):
    """An adapter with twelve parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(12))

    def forward(self, features, noise=None):
        return Adapted(features)


class Told(Generator):
    """3 latents to 2 x 4 x 4 images, and only with a condition."""

    latent_dim, places = 3, ()

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 32)
        self.embedding = nn.Embedding(10, 32)
        self.norm = nn.BatchNorm1d(32)

    def forward(self, latent, condition=None, noise=None):
        return self.norm(self.linear(latent) + self.embedding(condition)).view(-1, 2, 4, 4)


class Untold(Discriminator):
    """A convolution of 2 x 8 x 8 images and a linear head; refuses conditions."""

    feature_dim, places = 4, PLACES

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.head = nn.Linear(4, 1)
        self.adapters = Adapters(PLACES, lambda place: Widen())

    def forward(self, images, condition=None):
        if condition is not None:
            raise ValueError("told a condition")
        feature = self.adapters.at("block1", self.conv(images)).map.sum((2, 3))
        return Critique(self.head(feature).squeeze(1), None, feature)


def on_meta(build):
    with torch.device("meta"):
        return build()


def test_a_generator_that_needs_a_condition() -> None:
    cost = network_costs({"g": on_meta(Told)}, (2, 4, 4))["g"]
    assert (cost.macs, cost.not_counted) == (3 * 32, None)
    assert (cost.parameters, cost.adapters) == (3 * 32 + 32 + 10 * 32 + 2 * 32, 0)


def test_a_discriminator_that_refuses_one_with_its_adapters_counted_apart() -> None:
    cost = network_costs({"d": on_meta(Untold)}, (2, 8, 8))["d"]
    assert cost.macs == 8 * 8 * 4 * 2 * 9 + 4
    assert (cost.parameters, cost.adapters) == (4 * 2 * 9 + 4 + 4 + 1 + 12, 12)


def test_what_is_no_network_is_left_out_and_what_is_no_gan_network_is_not_counted() -> None:
    costs = network_costs({"encoder": on_meta(lambda: nn.Linear(2, 3)), "steps": torch.zeros(())}, (2,))
    assert list(costs) == ["encoder"]
    assert (costs["encoder"].parameters, costs["encoder"].macs) == (9, None)
    assert costs["encoder"].not_counted == "neither a generator nor a discriminator"


def test_a_network_that_cannot_take_one_image_says_why() -> None:
    cost = network_costs({"d": on_meta(lambda: Untold(channels=6))}, (2, 8, 8))["d"]
    assert cost.macs is None
    assert cost.not_counted is not None
    assert "\n" not in cost.not_counted


def test_counting_leaves_modes_as_they_were() -> None:
    network = on_meta(Told).train()
    network_costs({"g": network}, (2, 4, 4))
    assert network.training
    assert network.norm.training


def test_a_generator_with_a_learned_start_and_noise_inside_is_counted() -> None:
    generator = on_meta(lambda: build(StyledSettings(), (1, 8, 8)).generator())
    cost = network_costs({"g": generator}, (1, 8, 8))["g"]
    # a linear map from 6 to 8, three convolutions of 8 to 8 channels, and one of 8 to 1 pixel by pixel
    assert (cost.macs, cost.not_counted) == (6 * 8 + 3 * 64 * 9 * 64 + 8 * 64, None)
    assert all(parameter.requires_grad for parameter in generator.parameters())
