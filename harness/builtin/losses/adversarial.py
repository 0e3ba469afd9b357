"""Adversarial losses: pure functions of logits, all to be minimised, means over the batch.

Real and fake logits are unbounded floats of any equal or different shape, usually [N]; every result is a scalar.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean relu(1 - D(x)) + mean relu(1 + D(G(z))), Lim and Ye (2017); real, fake [N] to []."""
    return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-mean D(G(z)), Lim and Ye (2017); fake [N] to []."""
    return -fake.mean()


def nsgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean softplus(-D(x)) + mean softplus(D(G(z))), Goodfellow et al. (2014), Eq (1); real, fake [N] to []."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()  # -log s(D) = softplus(-D), -log(1 - s(D)) = softplus(D)


def nsgan_generator(fake: Tensor) -> Tensor:
    """mean softplus(-D(G(z))), the non-saturating loss of Goodfellow et al. (2014), section 3; fake [N] to []."""
    return F.softplus(-fake).mean()


def wgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean D(G(z)) - mean D(x), Arjovsky et al. (2017), Eq (2) with its sign changed; real, fake [N] to []."""
    return fake.mean() - real.mean()


def wgan_generator(fake: Tensor) -> Tensor:
    """-mean D(G(z)), Arjovsky et al. (2017); fake [N] to []."""
    return -fake.mean()


def lsgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 mean (D(x) - 1)^2 + 1/2 mean D(G(z))^2, Mao et al. (2017), 0-1 coding; real, fake [N] to []."""
    return 0.5 * (real - 1.0).square().mean() + 0.5 * fake.square().mean()


def lsgan_generator(fake: Tensor) -> Tensor:
    """1/2 mean (D(G(z)) - 1)^2, Mao et al. (2017), 0-1 coding; fake [N] to []."""
    return 0.5 * (fake - 1.0).square().mean()


def rpgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """mean softplus(-(D(x) - D(G(z)))), each fake beside a real image, Jolicoeur-Martineau (2019).

    real, fake [N] to []. With penalties r1 and r2 it converges locally (Huang et al., NeurIPS 2024).
    """
    return F.softplus(fake - real).mean()


def rpgan_generator(fake: Tensor, real: Tensor) -> Tensor:
    """mean softplus(-(D(G(z)) - D(x))), Jolicoeur-Martineau (2019); fake, real [N] to []."""
    return F.softplus(real - fake).mean()
