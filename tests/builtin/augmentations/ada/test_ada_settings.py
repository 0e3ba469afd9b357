"""Which transforms settings turn on, and how often."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.builtin.augmentations.ada.ada_settings import GROUPS, AdaSettings

ALL = tuple(name for names in GROUPS.values() for name in names)


def on(**settings) -> set[str]:
    return {name for name in ALL if AdaSettings(**settings).share(name) > 0}


def test_the_papers_choice_is_blit_geometry_and_colour_steered_to_three_fifths():
    blit, geometry = {"xflip", "rotate90", "xint"}, {"scale", "rotate", "aniso", "xfrac"}
    assert on() == blit | geometry | {"brightness", "contrast", "lumaflip", "hue", "saturation"}
    settings = AdaSettings()
    assert (settings.target, settings.interval, settings.kimg, settings.p) == (0.6, 4, 500, 0.0)


def test_groups_can_be_one_text():
    assert on(groups="blit, cutout") == {"xflip", "rotate90", "xint", "cutout"}
    assert on(groups="") == set()


def test_a_transforms_own_share_goes_before_its_groups():
    assert on(groups="blit", xint=0) == {"xflip", "rotate90"}
    settings = AdaSettings(groups="blit", xint=0.25, noise=2)
    assert [settings.share(name) for name in ("xflip", "xint", "noise", "hue")] == [1.0, 0.25, 2.0, 0.0]


def test_every_transform_has_a_setting_of_its_own():
    assert len(ALL) == 15
    assert set(ALL) <= set(AdaSettings.model_fields)


@pytest.mark.parametrize(
    "wrong",
    [{"groups": "bgc"}, {"p": -0.1}, {"interval": 0}, {"kimg": 0}, {"target": 1.5}, {"xflip": -1}, {"hue_max": -1}],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        AdaSettings(**wrong)
