"""The residual generator: its layers in order, where the latent and the condition enter, and noise at its places."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from small_biggan import CONDITION, Echo, backbone, pair
from small_residual import small_design
from torch import nn

from harness.builtin.models.residual.generator import BigGANGenerator
from harness.contracts.networks import Adapted


def test_noise_reaches_the_generators_adapters():
    asked = []

    class Noisy(nn.Module):
        def forward(self, features, noise=None):
            return Adapted(features + noise("block1", tuple(features.shape)))

    def noise(name, shape):
        asked.append((name, shape))
        return torch.zeros(shape)

    built = backbone()
    built.generator(adapters=lambda place: Noisy())(torch.randn(2, built.latent_dim), noise=noise)
    assert asked == [("block1", (2, 16, 8, 8))]


@pytest.mark.parametrize("resolution", [8, 64])
def test_the_condition_changes_the_image(resolution):
    generator, _ = pair(resolution)
    with torch.no_grad():  # the initial gains are small
        for name, parameter in generator.named_parameters():
            if "gain" in name or "bias.weight" in name:
                parameter.mul_(20)
    latent = torch.randn(1, generator.latent_dim).expand(3, -1)
    images = generator.eval()(latent, CONDITION)
    assert not torch.allclose(images[0], images[1], atol=1e-4)


def test_a_missing_or_unexpected_condition_is_a_mistake():
    generator, _ = pair(8)
    with pytest.raises(ValueError, match="one of 3 conditions"):
        generator(torch.randn(3, 128))
    with pytest.raises(ValueError, match="no condition"):
        backbone().generator()(torch.randn(3, 128), CONDITION)


@pytest.mark.parametrize("conditions", [0, 3])
def test_pieces_of_a_hierarchical_latent_reach_their_own_blocks(conditions):
    generator, _ = pair(64, conditions=conditions, adapters=Echo)
    generator.eval()
    condition = CONDITION if conditions else None
    latent = torch.randn(3, 120)

    def maps(change: slice) -> list[torch.Tensor]:
        changed = latent.clone()
        changed[:, change] += 1
        generator(changed, condition)
        return [echo.seen.detach().clone() for echo in generator.adapters.children()]

    plain = maps(slice(0, 0))
    for piece in range(5):
        same = [torch.equal(a, b) for a, b in zip(plain, maps(slice(24 * piece, 24 * piece + 24)), strict=True)]
        # piece 0 enters at the bottom, piece i at block i
        assert same == [block < piece for block in range(1, 5)]


def scaled_batch_norm(h, norm):
    """Batch norm with the statistics of the batch, written out."""
    h = (h - h.mean((0, 2, 3), keepdim=True)) / (h.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    return h * norm.weight[:, None, None] + norm.bias[:, None, None]


@pytest.mark.parametrize("conditions", [0, 3])
def test_from_the_latent_to_the_image_it_does_what_is_written_out_here(conditions):
    torch.manual_seed(0)
    generator = BigGANGenerator(small_design(), conditions, None).double()
    for parameter in (generator.norm.weight, generator.norm.bias, generator.linear.bias):
        nn.init.normal_(parameter)  # ones and zeros at first, which would hide them
    condition = CONDITION if conditions else None
    latent = torch.randn(3, 9, dtype=torch.float64)
    h = (latent @ generator.linear.weight.T + generator.linear.bias).reshape(3, 12, 5, 5)
    for block in generator.blocks:
        h = block(h, condition)
    h = F.relu(scaled_batch_norm(h, generator.norm))
    expected = F.conv2d(h, generator.conv.weight, generator.conv.bias, padding=1).tanh()
    torch.testing.assert_close(generator(latent, condition), expected)
    assert expected.shape == (3, 2, 20, 20)
    assert [(place.name, place.width, place.resolution) for place in generator.places] == [
        ("block1", 6, 10),
        ("block2", 4, 20),
    ]


def test_each_block_is_told_the_shared_embedding_and_its_own_piece_of_the_latent():
    generator = BigGANGenerator(small_design(latent_pieces=3, embedding_dim=4), 3, None)
    assert generator.linear.weight.shape == (12 * 5 * 5, 3)
    told = []
    for block in generator.blocks:
        block.register_forward_pre_hook(lambda module, given: told.append(given[1]))
    latent = torch.randn(3, 9)
    generator(latent, CONDITION)
    rows = generator.embedding.weight[CONDITION]
    for found, piece in zip(told, (latent[:, 3:6], latent[:, 6:9]), strict=True):
        assert torch.equal(found, torch.cat([rows, piece], 1))


def test_attention_comes_after_the_block_and_before_the_place():
    generator = BigGANGenerator(small_design(attention=10), 0, Echo).eval()
    assert list(generator.attention) == ["block1"]
    out = []
    generator.attention["block1"].register_forward_hook(lambda module, given, found: out.append(found))
    generator(torch.randn(3, 9))
    assert out[0] is next(generator.adapters.children()).seen
