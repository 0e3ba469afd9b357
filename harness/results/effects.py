"""What differences between protocols are known to do, from a small table with sources."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True)
class Effect:
    """What a difference in a field does.

    :param effect: in a sentence, with a size where one was measured.
    :param source: where that stands.
    """

    effect: str
    source: str


@lru_cache(maxsize=1)
def known_effects() -> Mapping[str, Effect]:
    """By the field's name, as in a protocol; ``subject.KEY`` for what of the method was measured."""
    text = files("harness.results").joinpath("effects.toml").read_text(encoding="utf-8")
    return {field: Effect(**said) for field, said in tomllib.loads(text).items()}


def effect_of(field: str) -> Effect | None:
    """What is known of a field; None for nothing."""
    return known_effects().get(field)
