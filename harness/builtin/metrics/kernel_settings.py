"""What the kernel distance can be told."""

from __future__ import annotations

from pydantic import Field

from harness import Settings


class KernelSettings(Settings):
    """Subsets that the kernel distance is averaged over; papers print 10 to 100 of them, of 50 to 5,000 images."""

    subsets: int = Field(default=100, gt=0, le=100_000)
    """how many subsets"""
    subset_size: int = Field(default=1000, ge=2)
    """items that each takes of both sets, at most: as many as the smaller set has"""
