"""What the neighbour metrics can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from harness import Settings

Neighbour = Annotated[int, Field(gt=0)]


class NeighboursSettings(Settings):
    """Which nearest neighbour balls reach to; papers print precision and recall with k = 3, 5 or 10."""

    precision_recall_k: tuple[Neighbour, ...] = Field(default=(3, 5), min_length=1)
    """k of precision and recall, a number of each for every k (3: the authors'; 5: what later papers print too)"""
    density_coverage_k: Neighbour = 5
    """k of density and coverage (5: the authors')"""

    @field_validator("precision_recall_k")
    @classmethod
    def _each_once(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(ks)) < len(ks):
            raise ValueError("names one k twice")
        return ks
