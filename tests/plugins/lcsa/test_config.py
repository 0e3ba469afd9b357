"""What an LCSA-GAN can be told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from harness_lcsa.config import CoderSettings, LCSASettings
from pydantic import ValidationError

from harness import SettingsError, validated


@pytest.mark.parametrize(
    "wrong",
    [
        {"coder": {"atoms": 8, "neighbours": 9}},
        {"coder": {"sigma": 0}},
        {"controller": {"beta0": 1.5}},
        {"controller": {"coupling": "D"}},
        {"mix": "multiplicative"},
        {"blocks": []},
        {"blocks": [0]},
        {"dictionary": {"rate": 1}},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LCSASettings.model_validate(wrong)


def test_more_neighbours_than_atoms_are_refused_on_one_line_with_both_numbers() -> None:
    with pytest.raises(SettingsError) as caught:
        validated(LCSASettings, {"coder": {"atoms": 8}}, "method 'lcsa'")  # the paper's 128 neighbours stay
    said = str(caught.value)
    assert "setting 'coder' of method 'lcsa': 128 neighbours cannot be chosen among 8 atoms" in said
    assert "\n" not in said


@pytest.mark.parametrize("neighbours", [1, 8])
def test_hard_and_soft_assignment_are_both_ends_of_the_neighbours(neighbours: int) -> None:
    assert CoderSettings(atoms=8, neighbours=neighbours).neighbours == neighbours


@pytest.mark.parametrize(
    ("name", "least", "most", "beyond"),
    [
        ("beta0", 0.0, 1.0, (-0.01, 1.01)),
        ("eta", -1.0, 1.0, (-1.01, 1.01)),
        ("ema", 0.0, 0.999, (-0.01, 1.0)),  # an average that takes nothing in would never move
    ],
)
def test_numbers_of_the_controller_have_the_range_that_they_have_in_the_paper(
    name: str, least: float, most: float, beyond: tuple[float, float]
) -> None:
    for value in (least, most):
        assert getattr(LCSASettings.model_validate({"controller": {name: value}}).controller, name) == value
    for value in beyond:
        with pytest.raises(SettingsError, match=f"setting 'controller.{name}' .*given: {value}"):
            validated(LCSASettings, {"controller": {name: value}}, "method 'lcsa'")


def test_blocks_are_every_one_unless_they_are_named() -> None:
    assert LCSASettings().blocks is None
    named: dict[str, Any] = {"blocks": [3, 1]}
    assert LCSASettings.model_validate(named).blocks == (3, 1)
