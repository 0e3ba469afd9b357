"""What a number is called: the names of Inception's features are never given to those of another network."""

from __future__ import annotations

from harness.evaluation import Offer


def named(offer: Offer, extractor: str, *, inception: str, other: str) -> str:
    """The name on this feature network: `inception` on the one that FID is named after, `other` on any other."""
    return inception if offer.spec(extractor).inception else other
