"""Adversarial losses that tell classes apart by themselves: one logit a class. N: images, K: classes.

Logits are unbounded floats [N, outputs]; every result is a scalar. Labels and conditions take any of the forms that
networks are told them in (:func:`harness.layers.as_rows`): a number, several labels, or weights of all K.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.layers import as_rows

# -- OmniGAN: each class, "real" and "fake" are labels that an image has or has not --------------------------


def omni_outputs(classes: int) -> int:
    """One logit a class, one for "real" and one for "fake"; the last two alone without classes."""
    return classes + 2


def omni_score(logits: Tensor, told: Tensor | None) -> Tensor:
    """How real an image looks: the logit of "real", which the loss divides at 0; [N, K + 2] to [N]."""
    return logits[:, -2]


def omni_discriminator(real: Tensor, fake: Tensor, labels: Tensor | None, told: Tensor | None) -> Tensor:
    """Real images have their class and "real", fakes have "fake" alone, Zhou et al. (2021)."""
    return _omni(real, _has(real, labels, -2)) + _omni(fake, _has(fake, None, -1))


def omni_generator(fake: Tensor, told: Tensor | None) -> Tensor:
    """Fakes are to have the class that they were told, and "real", Zhou et al. (2021)."""
    return _omni(fake, _has(fake, told, -2))


def _omni(logits: Tensor, has: Tensor) -> Tensor:
    """log(1 + sum_{i not in P} e^{s_i}) + log(1 + sum_{j in P} e^{-s_j}), the mean over images (Zhou et al.).

    :param has: the labels P that each image has, bool [N, K + 2].
    """
    zero = logits.new_zeros(len(logits), 1)  # the 1 in the logarithm
    without = torch.cat([logits.masked_fill(has, -torch.inf), zero], 1).logsumexp(1)
    within = torch.cat([(-logits).masked_fill(~has, -torch.inf), zero], 1).logsumexp(1)
    return (without + within).mean()


def _has(logits: Tensor, classes: Tensor | None, last: int) -> Tensor:
    """The classes of each image, if it has any, and "real" (-2) or "fake" (-1), as bool [N, K + 2]."""
    column = torch.arange(logits.shape[1], device=logits.device)
    found = (column == logits.shape[1] + last).expand(logits.shape)
    return found if classes is None else found | F.pad(as_rows(classes, logits.shape[1] - 2) > 0, (0, 2))


# -- the logit of the image's own class ----------------------------------------------------------------------


def selected_outputs(classes: int) -> int:
    """One logit a class."""
    return classes


def selected_score(logits: Tensor, told: Tensor | None) -> Tensor:
    """The logit of the class that an image is of, or was told to be of, D(x) . c; [N, K] to [N].

    Of several labels it is the sum of theirs, of weights the weighted sum.
    """
    if told is None:
        raise ValueError("the logit of a class cannot be selected without the class")
    if told.ndim == 1:
        return logits.gather(1, told[:, None]).squeeze(1)
    return (logits * as_rows(told, logits.shape[1])).sum(1)


def selected_discriminator(real: Tensor, fake: Tensor, labels: Tensor | None, told: Tensor | None) -> Tensor:
    """mean softplus(-D(x)[y]) + mean softplus(D(G(z, c))[c]): the logistic loss of the selected logits (Cho 2025)."""
    return F.softplus(-selected_score(real, labels)).mean() + F.softplus(selected_score(fake, told)).mean()


def selected_generator(fake: Tensor, told: Tensor | None) -> Tensor:
    """mean softplus(-D(G(z, c))[c]), Cho (2025)."""
    return F.softplus(-selected_score(fake, told)).mean()
