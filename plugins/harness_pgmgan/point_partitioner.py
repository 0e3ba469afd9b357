"""Partitioners of points: two whose guide has no bad local optimum, and one whose guide has."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from harness import SettingsError
from harness_pgmgan.invertible import invertible_points

#: linear: W x, the authors' own toy. invertible: W phi(x), what theorem 3 is about. mlp: the unrestricted network
Kind = Literal["linear", "mlp", "invertible"]


def point_partitioner(kind: Kind, dim: int, k: int) -> nn.Module:
    """A network from points [N, dim] to logits [N, k].

    :param kind: which; "mlp" has hidden layers of 10 and 20 ReLUs, "invertible" four residual blocks.
    :raises SettingsError: for another kind.
    """
    match kind:
        case "linear":
            return nn.Linear(dim, k)
        case "mlp":
            return nn.Sequential(nn.Linear(dim, 10), nn.ReLU(), nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, k))
        case "invertible":
            return nn.Sequential(invertible_points(dim), nn.Linear(dim, k))
    raise SettingsError(f"unknown partitioner of points '{kind}'", f"choose from: {', '.join(get_args(Kind))}")
