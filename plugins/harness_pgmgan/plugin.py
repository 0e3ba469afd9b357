"""Offers PGMGAN to the harness."""

from __future__ import annotations

from collections.abc import Callable

from harness import MethodSpec, MetricSpec, hookimpl
from harness_pgmgan.recipes import RECIPES

_HERE = "harness_pgmgan"


@hookimpl
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    """Register `pgmgan`."""
    register(
        MethodSpec(
            name="pgmgan",
            summary="Partition-guided mixture of generators, on partitions learned without labels",
            settings=f"{_HERE}.config:PgmganSettings",
            method=f"{_HERE}.method:Pgmgan",
            recipes=RECIPES,
            kinds=("images", "points"),
            citation="Armandpour, Sadeghian, Li and Zhou, Partition-Guided GANs, CVPR 2021",
        )
    )


@hookimpl
def harness_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    """Register `acceptance`."""
    register(
        MetricSpec(
            name="acceptance",
            summary="share of first draws that lie in the partition they were told",
            metric=f"{_HERE}.acceptance:Acceptance",
            names={"acceptance_pct": True},
            kinds=("images", "points"),
            requires=f"{_HERE}.acceptance:Drawing",
            source="Armandpour et al. 2021, Eq. 2",
        )
    )
