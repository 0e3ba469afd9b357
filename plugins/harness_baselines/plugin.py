"""Offers the plain GAN to the harness: the baseline that methods are held against."""

from __future__ import annotations

from collections.abc import Callable

from harness import MethodSpec, hookimpl
from harness_baselines.recipes import GAN


@hookimpl
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    """Register `gan`."""
    register(
        MethodSpec(
            name="gan",
            summary="Plain GAN, conditional or not: any backbone, loss and penalty",
            settings="harness_baselines.config:GanSettings",
            method="harness_baselines.method:Gan",
            recipes=GAN,
            kinds=("images", "points"),
            citation="Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        )
    )
