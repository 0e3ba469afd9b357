"""dcgan's generator: the published parameters, its layers one by one, the embedding and the initial values."""

from __future__ import annotations

import pytest
import torch
from small_biggan import CONDITION, count
from small_dcgan import conv, convolved, normalised, pair
from torch import nn

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import DcganSettings
from harness.contracts.networks import Adapted


@pytest.mark.parametrize(("k", "millions"), [(0, 3.81), (100, 5.94)])
@pytest.mark.parametrize(("side", "bottom"), [(32, 4), (48, 6)])
def test_the_generators_parameters_are_the_published_ones(k, millions, side, bottom):
    dense = (128 + (256 if k else 0) + 1) * 512 * bottom**2
    stack = conv(512, 256, 4) + conv(256, 128, 4) + conv(128, 64, 4) + 2 * (256 + 128 + 64) + conv(64, 3, 3)
    with torch.device("meta"):
        generator = build(DcganSettings(), (3, side, side)).generator(conditions=k)
    assert count(generator) == dense + stack + 256 * k
    if side == 32:
        assert round(count(generator) / 1e6, 2) == millions


def up_convolved(h, layer):
    """A transposed convolution: every pixel adds its kernel to 4 x 4 pixels of the result, two apart from the next."""
    n, _, side, _ = h.shape
    result = torch.zeros(n, layer.weight.shape[1], 2 * side + 2, 2 * side + 2, dtype=h.dtype)
    for i in range(side):
        for j in range(side):
            result[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += torch.einsum(
                "ni,iokl->nokl", h[:, :, i, j], layer.weight
            )
    return result[:, :, 1:-1, 1:-1] + layer.bias[:, None, None]


def test_the_generator_does_what_is_written_out_here():
    generator, _ = pair(16)
    generator.double()
    latent = torch.randn(3, 6, dtype=torch.float64)
    rows = generator.embedding.weight[CONDITION]
    h = torch.cat([latent, rows / rows.square().sum(1, keepdim=True).sqrt()], 1)
    h = (h @ generator.linear.weight.T + generator.linear.bias).reshape(3, 8, 4, 4)
    for up, norm, _ in generator.blocks:
        h = normalised(up_convolved(h, up), norm).clamp_min(0)
    torch.testing.assert_close(generator(latent, CONDITION), convolved(h, generator.conv, 1).tanh())


def test_the_embedding_of_a_condition_has_unit_length_when_it_is_used():
    generator, _ = pair()
    generator.eval()
    latent = torch.randn(3, 6)
    before = generator(latent, CONDITION)
    with torch.no_grad():
        generator.embedding.weight.mul_(7.0)
    torch.testing.assert_close(generator(latent, CONDITION), before)
    assert not torch.allclose(generator(latent, (CONDITION + 1) % 3), before)


def test_initial_values_are_torchs_own():
    generator, _ = pair(32, width=32, latent_dim=100)
    layer = generator.linear
    bound = (100 + 5) ** -0.5
    assert layer.weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert all((m.weight == 1).all() for m in generator.modules() if isinstance(m, nn.BatchNorm2d))


def test_a_missing_or_unexpected_condition_is_a_mistake():
    with pytest.raises(ValueError, match="one of 3 conditions"):
        pair()[0](torch.randn(3, 6))
    with pytest.raises(ValueError, match="no condition"):
        pair(conditions=0)[0](torch.randn(3, 6), CONDITION)


def test_what_an_adapter_makes_of_a_map_and_the_noise_goes_on():
    class Noisy(nn.Module):
        def __init__(self, place) -> None:
            super().__init__()
            self.place = place

        def forward(self, features, noise=None):
            return Adapted(0 * features + noise(self.place.name, tuple(features.shape)))

    generator, _ = pair(16, conditions=0, adapters=Noisy)
    asked = {}

    def noise(name, shape):
        asked[name] = shape
        return torch.full(shape, 0.5)

    latent = torch.randn(3, 6)
    images = generator(latent, noise=noise)
    assert asked == {"block1": (3, 4, 8, 8), "block2": (3, 2, 16, 16)}
    last = torch.full((3, 2, 16, 16), 0.5)  # of the last place, whatever the latent
    torch.testing.assert_close(images, convolved(last, generator.conv, 1).tanh())
