"""The invertible residual network phi of Armandpour et al. (2021), section 3.3 and appendix C, for images and points.

Every layer can be inverted and keeps the number of dimensions. A block is a per-channel affine map followed by
x + g(x), where g is a chain of three linear maps of norm at most `cap` with ELUs, which do not stretch: g has a
Lipschitz constant of at most cap^3 < 1 (0.729 for 0.9). So a block brings no two inputs nearer than by the factor
(1 - cap^3) times its smallest scale, and its inverse is the limit of a contraction (Behrmann et al., 2019).

Images and points share all but the linear maps inside g.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import SettingsError
from harness_pgmgan.operator_norm import CappedConv, CappedLinear


class Invertible(nn.Module, ABC):
    """A layer with an inverse."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] or [N, D] to as many numbers."""

    @abstractmethod
    def inverse(self, y: Tensor, iterations: int) -> Tensor:
        """What forward, in eval mode, made y of; `iterations` where the inverse is found by iteration."""


class ActNorm(Invertible):
    """y = exp(log_scale) x + shift for each channel (Kingma and Dhariwal, 2018).

    The first batch in training mode sets both so that its channels have mean 0 and variance 1; a channel that is
    constant there is only shifted.

    :ivar over_devices: the mean of a tensor over the devices that train this layer, each of which has a batch of its
        own; the tensor itself where there is but one.
    """

    initialised: Tensor
    over_devices: Callable[[Tensor], Tensor]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.over_devices = _alone
        # a buffer, so that a loaded layer does not start anew on its next batch
        self.register_buffer("initialised", torch.tensor(False))
        # that the flag was seen set: looking at the buffer makes the host wait for the device in every pass
        self._seen = False
        self.register_load_state_dict_post_hook(_look_again)

    @torch.no_grad()
    def _initialise(self, x: Tensor) -> None:
        if not self.initialised:
            rows = x.transpose(0, 1).flatten(1).to(self.shift.dtype)  # [C, N H W]
            mean = self.over_devices(rows.mean(1))
            std = self.over_devices((rows - mean[:, None]).square().mean(1)).sqrt()
            self.log_scale.copy_(-torch.where(std > 1e-6, std, 1.0).log())
            self.shift.copy_(-mean * self.log_scale.exp())
            self.initialised.fill_(True)
        self._seen = True

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] or [N, C], the same shape."""
        if self.training and not self._seen and not x.is_meta:
            self._initialise(x)
        return x * per_channel(self.log_scale.exp(), x) + per_channel(self.shift, x)

    def inverse(self, y: Tensor, iterations: int) -> Tensor:
        return (y - per_channel(self.shift, y)) * per_channel((-self.log_scale).exp(), y)


def _alone(value: Tensor) -> Tensor:
    return value


def _look_again(module: nn.Module, _: object) -> None:
    module._seen = False  # type: ignore[assignment]


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """Values [C] in a shape that multiplies [N, C] or [N, C, H, W] channel by channel."""
    return values.view(-1, *[1] * (like.ndim - 2))


class Squeeze(Invertible):
    """Space to depth: 2 x 2 pixels become four channels, [N, C, H, W] to [N, 4 C, H / 2, W / 2]."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, 2)

    def inverse(self, y: Tensor, iterations: int) -> Tensor:
        return F.pixel_shuffle(y, 2)


class ResidualBlock(Invertible):
    """a + g(a) with a = ActNorm(x).

    :param branch: g, from a shape to itself, with a Lipschitz constant below 1.
    """

    def __init__(self, channels: int, branch: nn.Module) -> None:
        super().__init__()
        self.norm = ActNorm(channels)
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        a: Tensor = self.norm(x)
        branch: Tensor = self.branch(a)
        return a + branch

    def inverse(self, y: Tensor, iterations: int) -> Tensor:
        """By iterating a <- y - g(a) from y; each round shrinks the error by g's Lipschitz constant or more."""
        a = y
        for _ in range(iterations):
            a = y - self.branch(a)
        return self.norm.inverse(a, iterations)


class InvertibleNet(nn.Module):
    """Invertible layers one after another.

    :ivar shape: of its features without the batch: (C, H, W) or (D,).
    """

    def __init__(self, layers: Sequence[Invertible], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] or points [N, D] to features [N, *shape], as many numbers."""
        for layer in self.layers:
            x = layer(x)
        return x

    @torch.no_grad()
    def inverse(self, features: Tensor, iterations: int = 100) -> Tensor:
        """Images or points that have these features.

        :param features: [N, *shape].
        :param iterations: for each block; with a cap of 0.9 a hundred shrink the block's own error by 2e-14.
        :raises RuntimeError: in training mode, where every pass through a layer changes its weight.
        """
        if self.training:
            raise RuntimeError("a network is inverted in eval mode, where its weights stand still")
        x = features
        for layer in reversed(self.layers):
            assert isinstance(layer, Invertible)
            x = layer.inverse(x, iterations)
        return x


def invertible_images(
    shape: tuple[int, ...],
    *,
    width: int = 160,
    groups: int = 5,
    blocks: int = 4,
    cap: float = 0.9,
    iterations: int = 5,
) -> InvertibleNet:
    """phi for images: groups of blocks, with a squeeze before each group but the first.

    :param shape: (C, H, W) of the images.
    :param width: channels inside the blocks.
    :param blocks: in each group.
    :param cap: largest norm of each convolution, below 1.
    :param iterations: of the power iteration, each training pass.
    :returns: a network to features [N, 4^(groups - 1) C, H / 2^(groups - 1), W / 2^(groups - 1)].
    :raises SettingsError: where H or W cannot be halved so often.
    """
    channels, *size = check_halvings(shape, groups - 1)
    layers: list[Invertible] = []
    for group in range(groups):
        if group:
            layers.append(Squeeze())
            channels, size = 4 * channels, [side // 2 for side in size]
        for _ in range(blocks):
            conv = partial(CappedConv, size=(size[0], size[1]), cap=cap, iterations=iterations)
            branch = _branch(
                conv(channels, width, 3),
                conv(width, width, 1),
                conv(width, channels, 3),
                first=not layers,
            )
            layers.append(ResidualBlock(channels, branch))
    return InvertibleNet(layers, (channels, *size))


def invertible_points(
    dim: int, *, width: int = 32, blocks: int = 4, cap: float = 0.9, iterations: int = 5
) -> InvertibleNet:
    """phi for points [N, dim]: blocks of three linear layers.

    :param width: units inside the blocks.
    :param cap: largest norm of each layer, below 1.
    :param iterations: of the power iteration, each training pass.
    """
    linear = partial(CappedLinear, cap=cap, iterations=iterations)
    layers: list[Invertible] = []
    for _ in range(blocks):
        branch = _branch(
            linear(dim, width),
            linear(width, width),
            linear(width, dim),
            first=not layers,
        )
        layers.append(ResidualBlock(dim, branch))
    return InvertibleNet(layers, (dim,))


def _branch(enter: nn.Module, middle: nn.Module, leave: nn.Module, *, first: bool) -> nn.Module:
    """Three linear maps, each after an ELU; the first block of a network sees its data without one."""
    layers = [nn.ELU(), enter, nn.ELU(), middle, nn.ELU(), leave]
    return nn.Sequential(*layers[first:])


def check_halvings(shape: tuple[int, ...], halvings: int) -> tuple[int, int, int]:
    """The shape (C, H, W), where H and W can be halved so often without a rest.

    :raises SettingsError: where not, or where these are no images.
    """
    if len(shape) != 3:
        raise SettingsError(
            f"the partitioner of images was given data of shape {list(shape)}",
            "choose a data set of images, or a partitioner of points",
        )
    channels, height, width = shape
    if height % 2**halvings or width % 2**halvings:
        possible = 1
        while height % 2**possible == 0 and width % 2**possible == 0:
            possible += 1
        raise SettingsError(
            f"images of {height} x {width} pixels cannot be halved {halvings} times, as {halvings + 1} groups ask",
            f"use at most {possible} groups, or sides that {2**halvings} divides (--set fit=pad|resize|crop:SIZE)",
        )
    return channels, height, width
