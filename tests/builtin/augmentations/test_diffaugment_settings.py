"""How the policy of differentiable augmentation may be written, and what is refused."""

from __future__ import annotations

import pytest

from harness.builtin.augmentations.diffaugment_settings import DiffAugmentSettings
from harness.errors import SettingsError
from harness.overrides import parse_overrides, validated


def test_everything_is_done_unless_told_otherwise_colours_first():
    assert DiffAugmentSettings().policy == ("color", "translation", "cutout")


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("translation,cutout", ("translation", "cutout")),
        ("cutout, color", ("cutout", "color")),
        ("color", ("color",)),
        ('["cutout", "translation"]', ("cutout", "translation")),
        ("", ()),
    ],
)
def test_a_policy_may_be_typed_as_the_papers_code_spells_it_or_as_a_list(text, policy):
    values = parse_overrides([f"policy={text}"])
    assert validated(DiffAugmentSettings, values, "augmentation 'diffaugment'").policy == policy


@pytest.mark.parametrize("policy", ["colour", "color,", "color;cutout", ["color", "mixup"], 3, None])
def test_other_words_are_refused(policy):
    with pytest.raises(SettingsError, match="setting 'policy"):
        validated(DiffAugmentSettings, {"policy": policy}, "augmentation 'diffaugment'")


def test_settings_say_the_same_after_they_were_written_down():
    settings = DiffAugmentSettings.model_validate({"policy": "translation,cutout"})
    assert DiffAugmentSettings.model_validate(settings.model_dump(mode="json")) == settings
