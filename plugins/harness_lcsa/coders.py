"""Coders: how much each atom of a dictionary has to do with each feature. Pure functions of tensors.

Letters, throughout this package. The paper writes features and atoms as columns, here they are rows:

- x: [N', c], one feature a row: every spatial position of every image is one
- m: [k, c], one atom a row
- a: [N', k], codes; a coded feature is h(x) = a m, [N', c]

A coder is a function (x, m) -> a, with its parameters bound beforehand. All coders share :func:`decode` and the
dictionary's step, so that a further coder is a further function here and nothing else. Codes must be differentiable
in x; whether m gets a gradient is the caller's decision (it detaches m).

Everything here wants float32 or float64 without TF32: the difference of two near distances decides who is a neighbour.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: (x [N', c], m [k, c]) to codes a [N', k]
Coder = Callable[[Tensor, Tensor], Tensor]


def decode(codes: Tensor, m: Tensor) -> Tensor:
    """Coded features h(x) = a m.

    :param codes: [N', k].
    :param m: [k, c].
    :returns: [N', c].
    """
    return codes @ m


def affinities(x: Tensor, m: Tensor, sigma: float) -> Tensor:
    """-|x - m_j|^2 / (2 sigma^2) of every feature and atom, up to a constant of each feature.

    |x|^2 is left out: it is the same for all atoms, so neither their order nor a softmax over them can see it, and
    without it nothing large cancels. One matrix product makes the whole table.

    :param x: [N', c].
    :param m: [k, c].
    :param sigma: spread, above 0.
    :returns: [N', k], larger is nearer.
    """
    scale = 1.0 / sigma**2
    return torch.addmm(m.square().sum(1) * (-0.5 * scale), x, m.T * scale)


def soft_assignment(x: Tensor, m: Tensor, sigma: float) -> Tensor:
    """SA, Eq. (15): the softmax of -|x - m_j|^2 / (2 sigma^2) over all atoms.

    :param x: [N', c].
    :param m: [k, c].
    :returns: codes [N', k], positive, each row sums to 1.
    """
    return affinities(x, m, sigma).softmax(1)


def local_soft_assignment(x: Tensor, m: Tensor, sigma: float, neighbours: int) -> Tensor:
    """LCSA, Alg. 5: soft assignment among the k' nearest atoms, zero for all others.

    Atoms are never gathered (k' copies of c numbers for each feature): the codes stay a dense [N', k] table, and only
    the k' affinities of each feature are picked out of theirs and put back. Gradients take the neighbours as fixed.

    :param x: [N', c].
    :param m: [k, c].
    :param neighbours: k', from 1 to k. 1 is hard assignment, k is soft assignment.
    :returns: codes [N', k], each row sums to 1 and has at most k' entries above 0.
    """
    affinity = affinities(x, m, sigma)
    if neighbours == len(m):
        return affinity.softmax(1)
    near, index = affinity.topk(neighbours, dim=1, sorted=False)  # [N', k']
    return torch.zeros_like(affinity).scatter(1, index, near.softmax(1))


def hard_assignment(x: Tensor, m: Tensor) -> Tensor:
    """HA: all weight on the nearest atom. Its Jacobian in x is zero.

    :param x: [N', c].
    :param m: [k, c].
    :returns: codes [N', k], one-hot.
    """
    affinity = affinities(x, m, 1.0)
    return torch.zeros_like(affinity).scatter(1, affinity.argmax(1, keepdim=True), 1.0)


def code_perplexity(codes: Tensor) -> Tensor:
    """exp of the mean entropy of codes [N', k]: how many atoms share a feature, from 1 to k'."""
    found: Tensor = torch.special.entr(codes).sum(1).mean().exp()
    return found


def dead_share(codes: Tensor) -> Tensor:
    """Share of atoms that no feature of [N', k] codes gives any weight, from 0 to 1."""
    return (codes.sum(0) == 0).float().mean()
