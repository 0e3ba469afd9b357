"""What differentiable augmentation can be told."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from harness import Settings


class DiffAugmentSettings(Settings):
    """Settings of differentiable augmentation, Zhao et al. (NeurIPS 2020)."""

    policy: tuple[Literal["color", "translation", "cutout"], ...] = ("color", "translation", "cutout")
    """what is done to every image, in this order; also as one text, as in translation,cutout"""

    @field_validator("policy", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(word.strip() for word in value.split(",")) if value else ()
