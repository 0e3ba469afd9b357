"""Both residual networks of one design."""

from __future__ import annotations

from harness.builtin.models.residual.design import Design
from harness.builtin.models.residual.discriminator import BigGANDiscriminator
from harness.builtin.models.residual.generator import BigGANGenerator
from harness.layers import NetworkBuilder


def residual(plan: Design) -> NetworkBuilder:
    """What builds the networks of a design."""
    return NetworkBuilder(
        plan.latent_dim,
        lambda conditions, adapters: BigGANGenerator(plan, conditions, adapters),
        lambda conditions, outputs, heads, pack, adapters: BigGANDiscriminator(
            plan, conditions, outputs, heads, pack, adapters
        ),
    )
