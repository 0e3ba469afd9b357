"""Gradient penalties: pure functions of a critic and data; the weight, and any factor 1/2, is the caller's.

A critic maps a batch [N, ...] (images [N, C, H, W] or points [N, D]) to logits [N], each of its own row: a critic with
batch norm mixes rows and has no gradient of one sample's logit. Every result is a scalar that can be differentiated
again with respect to the critic's parameters; no gradient reaches what made `real` or `fake`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harness.contracts import Draws
from harness.errors import SettingsError

Critic = Callable[[Tensor], Tensor]


def r1(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """mean_i ||grad D(x_i)||^2 over real data, Mescheder et al. (2018), Eq (9) without gamma/2; [N, ...] to []."""
    return _squared_gradient_norms(critic, real).mean()


def r2(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """mean_i ||grad D(x_i)||^2 over fake data, Mescheder et al. (2018), Eq (10) without gamma/2; [N, ...] to []."""
    return _squared_gradient_norms(critic, fake).mean()


def r1r2(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """r1 + r2, both zero-centred: the regularisation of Huang et al. (2024) without gamma/2; [N, ...] to []."""
    return r1(critic, real, fake, draws) + r2(critic, real, fake, draws)


def gp(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """mean_i (||grad D(x_i)|| - 1)^2 between real and fake, Gulrajani et al. (2017), Eq (3) without lambda.

    x_i = e_i real_i + (1 - e_i) fake_i with e_i uniform in [0, 1), one for each pair; real, fake [N, ...] to [].

    :raises SettingsError: where a method compares batches of different sizes.
    """
    if real.shape != fake.shape:
        raise SettingsError(
            f"penalty 'gp' pairs real with fake data, and {list(real.shape)} and {list(fake.shape)} cannot be paired",
            "use --set penalty=r1 or penalty=r2",
        )
    share = draws.uniform(len(real), *[1] * (real.dim() - 1)).to(real.dtype)  # [N, 1, ...]
    squared = _squared_gradient_norms(critic, torch.lerp(fake.detach(), real.detach(), share))
    # where the gradient vanishes the root has none of its own (0 * inf); the pair's penalty is then exactly 1
    norm = torch.where(squared > 0, squared, 1.0).sqrt() * (squared > 0)
    return (norm - 1.0).square().mean()


def _squared_gradient_norms(critic: Critic, at: Tensor) -> Tensor:
    """||grad D(x_i)||^2 for each row; [N, ...] to [N]."""
    with torch.enable_grad():
        x = at.detach().requires_grad_()
        # rows do not interact, so that the gradient of the sum holds each row's own gradient
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        return gradient.flatten(1).square().sum(1)
