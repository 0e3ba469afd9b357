"""Offers the LCSA-GAN method to the harness."""

from __future__ import annotations

from collections.abc import Callable

from harness import MethodSpec, hookimpl
from harness_lcsa.recipes import RECIPES


@hookimpl
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    """Register `lcsa`."""
    register(
        MethodSpec(
            name="lcsa",
            summary="Manifold learning in the discriminator by locality-constrained soft assignment",
            settings="harness_lcsa.config:LCSASettings",
            method="harness_lcsa.method:LCSAGan",
            recipes=RECIPES,
            kinds=("images", "points"),
            citation="Ni, Koniusz, Hartley and Nock, Manifold Learning Benefits GANs, CVPR 2022",
        )
    )
