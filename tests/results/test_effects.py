"""The table of known effects: every field is one that records have, and every effect has a source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.results.effects import effect_of, known_effects

CORE = Path(__file__).parents[2] / "harness"


@pytest.mark.parametrize("field", known_effects())
def test_an_effect_is_of_a_field_that_is_recorded(field: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in CORE.rglob("*.py")]
    recorded = {name for text in texts for name in re.findall(r'Term\(\s*"(\w+)"', text)}
    assert field in recorded | {"scale", "exit_state", "lossy", "subject.checkpoint", "subject.weights"}
    effect = effect_of(field)
    assert effect is not None
    assert effect.effect
    assert effect.source


def test_nothing_is_known_of_most_fields() -> None:
    assert effect_of("block") is None
