"""mlp's generator: its layers one by one, the embedding of the condition, batch norm, and noise at its places."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from small_mlp import SMALL
from torch import nn

from harness.builtin.models.mlp.backbone import build
from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.contracts.networks import Adapted


def test_the_embedding_of_a_condition_has_unit_length_when_it_is_used():
    generator = build(SMALL, (2,)).generator(conditions=3).eval()
    latent, condition = torch.randn(4, 2), torch.tensor([0, 1, 2, 0])
    before = generator(latent, condition)
    with torch.no_grad():
        generator.embedding.weight.mul_(7.0)
    torch.testing.assert_close(generator(latent, condition), before)
    assert not torch.allclose(generator(latent, (condition + 1) % 3), before)


def test_batch_norm_can_be_left_out():
    has_norm = lambda settings: any(isinstance(m, nn.BatchNorm1d) for m in build(settings, (2,)).generator().modules())  # noqa: E731
    assert has_norm(MlpSettings())
    assert not has_norm(MlpSettings(batch_norm=False))


def normalised(h, norm):
    """Batch norm with the statistics of the batch, written out."""
    h = (h - h.mean(0)) / (h.var(0, unbiased=False) + 1e-5).sqrt()
    return h * norm.weight + norm.bias


def test_it_does_what_is_written_out_here():
    settings = SMALL.model_copy(update={"scale": 4.0})
    generator = build(settings, (3,)).generator(conditions=3).double()
    for layer in generator.layers:
        nn.init.normal_(layer[1].weight)  # all ones at first
    latent, condition = torch.randn(5, 2, dtype=torch.float64), torch.tensor([2, 0, 1, 1, 0])
    rows = generator.embedding.weight[condition]
    h = torch.cat([latent, rows / rows.square().sum(1, keepdim=True).sqrt()], 1)
    for linear, norm, _ in generator.layers:
        h = normalised(h @ linear.weight.T + linear.bias, norm).clamp_min(0)
    expected = (h @ generator.linear.weight.T + generator.linear.bias) / 4
    torch.testing.assert_close(generator(latent, condition), expected)


def test_noise_reaches_the_adapters_and_what_they_return_goes_on():
    class Noisy(nn.Module):
        def __init__(self, name) -> None:
            super().__init__()
            self.name = name

        def forward(self, features, noise=None):
            return Adapted(0 * features + noise(self.name, tuple(features.shape)))

    asked = {}

    def noise(name, shape):
        asked[name] = shape
        return torch.full(shape, float(name[-1]))

    generator = build(SMALL, (3,)).generator(adapters=lambda place: Noisy(place.name))
    points = generator(torch.randn(4, 2), noise=noise)
    assert asked == {f"block{index}": (4, 16) for index in (1, 2, 3)}
    expected = F.linear(torch.full((4, 16), 3.0), generator.linear.weight, generator.linear.bias)
    torch.testing.assert_close(points, expected)


def test_a_missing_or_unexpected_condition_is_a_mistake():
    with pytest.raises(ValueError, match="one of 3 conditions"):
        build(SMALL, (2,)).generator(conditions=3)(torch.randn(4, 2))
    with pytest.raises(ValueError, match="no condition"):
        build(SMALL, (2,)).generator()(torch.randn(4, 2), torch.zeros(4, dtype=torch.int64))
