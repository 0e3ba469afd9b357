"""The residual blocks of biggan and sngan, batch norm that is told a class or a style, attention, initial weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.residual.design import Init
from harness.layers import Conv, Embedding, Linear, fast_layout


class ConditionalBatchNorm(nn.Module):
    """x_hat * (1 + gain(style)) + bias(style), x_hat normalised over the batch (Dumoulin et al., 2017).

    :param gain, bias: maps of the style to [N, width]: an embedding of the class, or a linear map of a vector.
    """

    def __init__(self, width: int, gain: nn.Module, bias: nn.Module) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.gain = gain
        self.bias = bias

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Features [N, width, H, W] and style (conditions, or float [N, S]) to [N, width, H, W]."""
        gain = (1.0 + self.gain(style))[:, :, None, None]  # [N, width, 1, 1]
        bias = self.bias(style)[:, :, None, None]
        normalised = self.norm(features)
        return torch.addcmul(bias.to(normalised.dtype), normalised, gain.to(normalised.dtype))


class PlainBatchNorm(nn.BatchNorm2d):
    """Batch norm that is told nothing."""

    def forward(self, features: Tensor, style: Tensor | None = None) -> Tensor:
        return super().forward(features)


def batch_norm(width: int, *, classes: int, style_dim: int, eps: float | None) -> nn.Module:
    """The batch norm of a generator block.

    :param classes: classes that it has gains and biases for, where `style_dim` is 0; 0 for none.
    :param style_dim: size of the vector that its gains and biases are linear in; 0 for none.
    :param eps: of the spectral norm of those linear maps; embeddings have none.
    """
    if style_dim:
        gain, bias = (Linear(style_dim, width, bias=False, eps=eps) for _ in range(2))
        return ConditionalBatchNorm(width, gain, bias)
    if classes:
        return ConditionalBatchNorm(width, Embedding(classes, width), Embedding(classes, width))
    return PlainBatchNorm(width)


class GeneratorBlock(nn.Module):
    """Doubles the resolution: two convolutions beside a 1 x 1 shortcut.

    :param norms: the two batch norms, for `inputs` and `outputs` channels.
    """

    def __init__(self, inputs: int, outputs: int, norms: tuple[nn.Module, nn.Module], eps: float | None) -> None:
        super().__init__()
        self.norm1, self.norm2 = norms
        self.conv1 = Conv(inputs, outputs, 3, resample="up", eps=eps)
        self.conv2 = Conv(outputs, outputs, 3, eps=eps)
        self.shortcut = Conv(inputs, outputs, 1, eps=eps)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        """[N, inputs, R, R] to [N, outputs, 2R, 2R]."""
        h = self.conv1(F.relu(self.norm1(x, style), inplace=True))
        h = self.conv2(F.relu(self.norm2(h, style), inplace=True))
        # a 1 x 1 convolution commutes with nearest up-sampling, and is four times cheaper before it
        found: Tensor = h + F.interpolate(self.shortcut(x), scale_factor=2)
        return found


class DiscriminatorBlock(nn.Module):
    """Two convolutions beside a 1 x 1 shortcut; the hidden width is that of the output.

    :param first: leave out the ReLU before the first convolution, since it would cut the image.
    :param down: halve the resolution by averaging.
    """

    def __init__(self, inputs: int, outputs: int, *, first: bool, down: bool, eps: float | None) -> None:
        super().__init__()
        self.first = first
        self.down = down
        self.conv1 = Conv(inputs, outputs, 3, eps=eps)
        self.conv2 = Conv(outputs, outputs, 3, resample="down" if down else "none", eps=eps)
        self.shortcut = Conv(inputs, outputs, 1, eps=eps) if inputs != outputs or down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, R, R] to [N, outputs, R, R], or R/2 where `down`."""
        h = self.conv1(x if self.first else F.relu(x))
        h = self.conv2(F.relu(h, inplace=True))
        # a 1 x 1 convolution commutes with averaging, and is four times cheaper after it
        found: Tensor = h + self.shortcut(F.avg_pool2d(x, 2) if self.down else x)
        return found


class Attention(nn.Module):
    """x + gamma * o(sum_j a_ij v_j): each pixel looks at all others (Zhang et al., 2019, eqs. 1 to 3).

    a_ij is the softmax over j of q_i . k_j. As in the public BigGAN code keys and values are the largest of 2 x 2
    pixels, their widths an eighth and a half of the map's, no convolution has a bias, and gamma starts at 0, so that
    the map passes through untouched at first.
    """

    def __init__(self, width: int, eps: float | None) -> None:
        super().__init__()
        keys, values = max(width // 8, 1), max(width // 2, 1)
        self.query = Conv(width, keys, 1, bias=False, eps=eps)
        self.key = Conv(width, keys, 1, bias=False, eps=eps)
        self.value = Conv(width, values, 1, bias=False, eps=eps)
        self.out = Conv(values, width, 1, bias=False, eps=eps)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """[N, width, R, R] to the same shape, R even."""
        query = self.query(x).flatten(2)  # [N, keys, R R]
        key = F.max_pool2d(self.key(x), 2).flatten(2)  # [N, keys, R R / 4]
        value = F.max_pool2d(self.value(x), 2).flatten(2)  # [N, values, R R / 4]
        # written out, since the fused kernels cannot be differentiated twice, which gradient penalties need
        attended = torch.bmm(query.transpose(1, 2), key).softmax(2)  # [N, R R, R R / 4]
        result = torch.bmm(value, attended.transpose(1, 2)).unflatten(2, x.shape[2:])  # [N, values, R, R]
        found: Tensor = x + self.gamma.to(x.dtype) * self.out(fast_layout(result))
        return found


def initialise(network: nn.Module, how: Init) -> None:
    """Weights of all convolutions, linear maps and embeddings; biases keep torch's own initial values."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            if how == "orthogonal":
                nn.init.orthogonal_(module.weight)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02)
