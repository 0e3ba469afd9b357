"""What a number is called: the names of Inception's features are never given to those of another network."""

from __future__ import annotations

from harness.evaluation import MetricContext


def named(context: MetricContext, extractor: str, *, inception: str, other: str) -> str:
    """The name on this feature network: `inception` on the one that FID is named after, `other` on any other."""
    return inception if context.spec(extractor).inception else other
