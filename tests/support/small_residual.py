"""A residual design that no registered backbone has."""

from __future__ import annotations

from typing import Any

from harness.builtin.models.residual.design import Design, Topology


def small_design(**changes: Any) -> Design:
    """Images [2, 20, 20] from 5 x 5 pixels, with widths that all differ and no spectral norm."""
    topology = Topology((6, 3), (3, 2), (1, 4, 5), (True, False, True))
    plain: dict[str, Any] = {
        "resolution": 20,
        "channels": 2,
        "topology": topology,
        "width": 2,
        "latent_dim": 9,
        "latent_pieces": 1,
        "embedding_dim": 0,
        "spectral_norm": None,
        "init": "orthogonal",
        "bottom": 5,
    }
    return Design(**(plain | changes))
