"""The residual blocks against the public code's order of operations, written out plainly."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from harness.builtin.models.residual.blocks import (
    Attention,
    ConditionalBatchNorm,
    DiscriminatorBlock,
    GeneratorBlock,
    PlainBatchNorm,
    batch_norm,
)


def conv(layer, x):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("down", [True, False])
def test_a_discriminator_block_does_what_the_public_one_does(first, down):
    torch.manual_seed(0)
    block = DiscriminatorBlock(3, 5, first=first, down=down, eps=None).double()
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    pool = (lambda t: F.avg_pool2d(t, 2)) if down else (lambda t: t)
    h = conv(block.conv2, F.relu(conv(block.conv1, x if first else F.relu(x))))
    expected = pool(h) + pool(conv(block.shortcut, x))
    torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


def test_a_discriminator_block_that_changes_nothing_has_no_convolution_in_its_shortcut():
    block = DiscriminatorBlock(4, 4, first=False, down=False, eps=None).double()
    x = torch.randn(2, 4, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(block(x), x + conv(block.conv2, F.relu(conv(block.conv1, F.relu(x)))))
    assert sum(p.numel() for p in block.parameters()) == 2 * (4 * 4 * 9 + 4)


def test_a_discriminator_block_leaves_its_input_alone():
    block = DiscriminatorBlock(4, 4, first=False, down=True, eps=None)
    x = torch.randn(2, 4, 4, 4)
    before = x.clone()
    block(x)
    assert torch.equal(x, before)


def test_a_generator_block_does_what_the_public_one_does():
    torch.manual_seed(0)
    norms = (ConditionalBatchNorm(3, nn.Embedding(4, 3), nn.Embedding(4, 3)),
             ConditionalBatchNorm(5, nn.Embedding(4, 5), nn.Embedding(4, 5)))  # fmt: skip
    block = GeneratorBlock(3, 5, norms, eps=None).double()
    x, y = torch.randn(6, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 3, 0])
    before = x.clone()

    def norm(layer, t):
        t = (t - t.mean((0, 2, 3), keepdim=True)) / (t.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
        return t * (1 + layer.gain.weight[y])[:, :, None, None] + layer.bias.weight[y][:, :, None, None]

    def up(t):
        return t.repeat_interleave(2, 2).repeat_interleave(2, 3)

    h = conv(block.conv1, up(F.relu(norm(block.norm1, x))))
    expected = conv(block.conv2, F.relu(norm(block.norm2, h))) + conv(block.shortcut, up(x))
    torch.testing.assert_close(block(x, y), expected, rtol=1e-10, atol=1e-10)
    assert torch.equal(x, before)


def test_conditional_batch_norm_normalises_before_gain_and_bias():
    norm = ConditionalBatchNorm(3, nn.Embedding(2, 3), nn.Embedding(2, 3))
    nn.init.zeros_(norm.gain.weight)
    nn.init.zeros_(norm.bias.weight)
    out = norm(5 + 3 * torch.randn(16, 3, 4, 4), torch.zeros(16, dtype=torch.int64))
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var((0, 2, 3), unbiased=False), torch.ones(3), atol=1e-4, rtol=0)


def test_the_kind_of_batch_norm_follows_from_what_it_is_told():
    assert isinstance(batch_norm(4, classes=0, style_dim=0, eps=1e-6), PlainBatchNorm)
    of_class = batch_norm(4, classes=3, style_dim=0, eps=1e-6)
    assert isinstance(of_class.gain, nn.Embedding)
    of_style = batch_norm(4, classes=3, style_dim=7, eps=1e-6)
    assert of_style.gain.weight.shape == (4, 7)
    # one plus a gain without bias, and spectral norm for linear maps only
    assert {name for name, _ in of_style.named_parameters()} == {"gain.weight", "bias.weight"}
    assert {name for name, _ in of_style.named_buffers() if name.endswith(".u")} == {
        "gain.normalise.u",
        "bias.normalise.u",
    }
    assert not any(name.endswith(".u") for name, _ in of_class.named_buffers())


def test_attention_is_what_torchs_own_would_be_with_pooled_keys_and_values():
    torch.manual_seed(0)
    layer = Attention(16, None).double()
    nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(2, 16, 6, 6, dtype=torch.float64)

    def pixels(conv, t, pool):
        t = torch.einsum("oi,nihw->nohw", conv.weight[:, :, 0, 0], t)
        t = t.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).amax((3, 5)) if pool else t
        return t.flatten(2).transpose(1, 2)  # [N, pixels, channels]

    query, key, value = pixels(layer.query, x, False), pixels(layer.key, x, True), pixels(layer.value, x, True)
    assert (query.shape[2], key.shape[1:], value.shape[1:]) == (2, (9, 2), (9, 8))
    seen = F.scaled_dot_product_attention(query, key, value, scale=1.0)  # [N, 36, 8]
    expected = x + 0.7 * torch.einsum("oi,npi->nop", layer.out.weight[:, :, 0, 0], seen).unflatten(2, (6, 6))
    torch.testing.assert_close(layer(x), expected, rtol=1e-10, atol=1e-10)


def test_attention_lets_the_map_through_at_first_and_gamma_learns():
    layer = Attention(8, 1e-12)
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(layer(x), x)
    layer(x).square().sum().backward()
    assert layer.gamma.grad.abs() > 0


def test_attention_can_be_differentiated_twice():
    torch.manual_seed(0)
    layer = Attention(8, None).double()
    nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(1, 8, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x,))


def test_every_convolution_of_attention_is_normalised_and_none_has_a_bias():
    names = {name for name, _ in Attention(8, 1e-12).state_dict().items()}
    convs = ("query", "key", "value", "out")
    assert names == {"gamma"} | {f"{c}.{of}" for c in convs for of in ("weight", "normalise.u")}
