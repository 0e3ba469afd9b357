"""What a method's settings take, refuse, and say of themselves."""

from __future__ import annotations

import pytest

from harness.contracts.settings import MethodSettings, Settings
from harness.errors import SettingsError
from harness.overrides import parse_overrides, validated


def test_defaults_are_valid() -> None:
    assert validated(MethodSettings, {}, "method 'toy'") == MethodSettings()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        MethodSettings().steps = 3


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("fit=crop", "choose none, pad, resize or crop:SIZE"),
        ("fit=pad:3", "choose none, pad, resize or crop:SIZE"),
        ("fit=crop:x", "crop needs a size in pixels, not 'x'"),
        ("fit=crop:0", "crop needs a size in pixels, not '0'"),
        ("evaluation.best=fd", "evaluation.best needs evaluation.every"),
    ],
)
def test_a_value_against_a_rule_of_its_own_is_refused_on_one_line(pair: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        validated(MethodSettings, parse_overrides([pair]), "method 'toy'")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fit", ["none", "pad", "resize", "crop:64"])
def test_known_fits_are_taken(fit: str) -> None:
    assert validated(MethodSettings, {"fit": fit}, "method 'toy'").fit == fit


def test_a_backbone_may_be_given_by_name_alone() -> None:
    settings = validated(MethodSettings, {"backbone": "mlp"}, "method 'toy'")
    assert (settings.backbone.name, settings.backbone.settings) == ("mlp", {})


def test_a_backbone_keeps_settings_that_only_its_own_class_knows() -> None:
    settings = validated(MethodSettings, {"backbone": {"name": "mlp", "anything": 3}}, "method 'toy'")
    assert settings.backbone.settings == {"anything": 3}


def test_settings_survive_being_written_down() -> None:
    settings = validated(MethodSettings, parse_overrides(["backbone.name=mlp", "backbone.depth=2"]), "method 'toy'")
    assert validated(MethodSettings, settings.model_dump(mode="json"), "method 'toy'") == settings


def test_every_setting_is_explained() -> None:
    def unexplained(cls: type[Settings]) -> list[str]:
        return [name for name, field in cls.model_fields.items() if not field.description]

    assert unexplained(MethodSettings) == ["ema", "evaluation"]  # groups, explained by their class
