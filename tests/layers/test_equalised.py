"""Equalised layers: numbers of the public code, unit size at the start, and rates that are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from harness.layers import EqualConv, EqualLinear


@pytest.mark.parametrize("multiplier", [1, 0.01])
def test_a_linear_layer_is_that_of_the_public_code(parity: Path, multiplier: float) -> None:
    numbers = {key: torch.from_numpy(value) for key, value in np.load(parity / "ops.npz").items()}
    for activation, after in (("linear", lambda y: y), ("lrelu", lambda y: F.leaky_relu(y, 0.2) * 2**0.5)):
        key = f"fc:{activation}:lrmul{multiplier}"
        layer = EqualLinear(16, 5, lr_multiplier=multiplier)
        layer.load_state_dict({name: numbers[f"{key}:{name}"] for name in ("weight", "bias")})
        torch.testing.assert_close(after(layer(numbers["norm2:z"])), numbers[f"{key}:out"], rtol=1e-5, atol=2e-6)


def test_what_comes_out_has_unit_size_at_the_start_whatever_the_width() -> None:
    torch.manual_seed(0)
    for width in (16, 256):
        for multiplier in (1.0, 0.01):
            out = EqualLinear(width, 512, lr_multiplier=multiplier)(torch.randn(512, width))
            assert float(out.std()) == pytest.approx(1.0, rel=0.1)
    out = EqualConv(32, 64, 3, gain=2**0.5)(torch.randn(8, 32, 16, 16))
    assert float(out[..., 1:-1, 1:-1].std()) == pytest.approx(2**0.5, rel=0.1)


def test_a_multiplier_slows_a_step_of_adam_down() -> None:
    moved = {}
    for multiplier in (1.0, 0.01):
        torch.manual_seed(0)
        layer, x = EqualLinear(8, 1, lr_multiplier=multiplier, bias_start=0.5), torch.randn(4, 8)
        adam = torch.optim.Adam(layer.parameters(), lr=1e-3)
        before = layer(x).detach()
        layer(x).sum().backward()
        adam.step()
        moved[multiplier] = float((layer(x) - before).norm())
        assert torch.allclose(layer(torch.zeros(1, 8)), torch.tensor(0.5), atol=2e-3)
    assert moved[0.01] == pytest.approx(0.01 * moved[1.0], rel=2e-2)


def test_a_convolution_is_torch_s_with_the_weight_scaled() -> None:
    layer, x = EqualConv(3, 4, 3), torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight / 27**0.5, layer.bias, padding=1))
    assert EqualConv(3, 4, 1, bias=False).bias is None
    with pytest.raises(ValueError, match="not 2 x 2"):
        EqualConv(3, 4, 2)
