"""Settings: how `--set` and TOML reach them, which layer wins, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import model_validator

from harness.contracts.settings import EvaluationSettings, MethodSettings, Settings
from harness.errors import SettingsError
from harness.overrides import (
    flattened,
    merged,
    parse_overrides,
    read_toml,
    read_value,
    setting_keys,
    typed_value,
    validated,
)


def refusal(values: dict[str, Any], cls: type[Settings] = MethodSettings) -> str:
    with pytest.raises(SettingsError) as caught:
        validated(cls, values, "method 'toy'")
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- --set -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1e-4", 1e-4),
        ("-0.5", -0.5),
        ("1_000", 1000),
        ("true", True),
        ("[0.0, 0.9]", [0.0, 0.9]),
        ('["fd", "is"]', ["fd", "is"]),
        ('"7"', "7"),
        ("{name = 'mlp', width = 8}", {"name": "mlp", "width": 8}),
        ("mlp", "mlp"),
        ("crop:64", "crop:64"),
        ("a=b", "a=b"),
        ("", ""),
        ("none", "none"),
        ("None", None),
        ("null", None),
    ],
)
def test_values_are_toml_or_else_text(text: str, value: Any) -> None:
    assert parse_overrides([f"key={text}"]) == {"key": value}


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    assert read_value(typed_value(text)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[null, 1]", [None, 1]),  # which TOML cannot say
        ('{"a": null}', {"a": None}),
        ("[fd", "[fd"),
        ("1\nb = 2", "1\nb = 2"),  # one value, and not a second key
        (" 7 ", 7),
    ],
)
def test_what_toml_cannot_say_is_json_or_else_text(text: str, value: Any) -> None:
    assert read_value(text) == value


@pytest.mark.parametrize(
    ("value", "typed"), [("mlp", "mlp"), ("7", '"7"'), ("a\nb", '"a\\nb"'), (None, "null"), ("\x7f", '"\\u007f"')]
)
def test_text_is_typed_bare_unless_it_would_be_read_as_something_else(value: Any, typed: str) -> None:
    assert typed_value(value) == typed
    assert read_value(typed) == value


def test_dots_make_groups() -> None:
    assert parse_overrides(["ema.decay=0.9", "ema.start=5", "steps=3"]) == {
        "ema": {"decay": 0.9, "start": 5},
        "steps": 3,
    }


def test_the_last_of_two_values_for_one_key_counts() -> None:
    assert parse_overrides(["steps=3", "steps=4"]) == {"steps": 4}


@pytest.mark.parametrize("pairs", [["backbone=mlp", "backbone.width=8"], ["backbone.width=8", "backbone=mlp"]])
def test_a_backbone_and_its_settings_may_come_in_either_order(pairs: list[str]) -> None:
    assert parse_overrides(pairs) == {"backbone": {"name": "mlp", "width": 8}}


@pytest.mark.parametrize("pair", ["steps", "=3", ".steps=3", "ema.=1", "ema..decay=1", " = "])
def test_what_is_not_key_value_is_refused(pair: str) -> None:
    with pytest.raises(SettingsError, match="--set needs key=value"):
        parse_overrides([pair])


def test_a_contradiction_names_both_of_its_sides() -> None:
    with pytest.raises(SettingsError, match=r"^--set ema\.decay contradicts --set ema=1$"):
        parse_overrides(["ema=1", "ema.decay=0.9"])
    with pytest.raises(SettingsError, match=r"^--set ema=1 contradicts --set ema\.decay$"):
        parse_overrides(["ema.decay=0.9", "ema=1"])


@pytest.mark.parametrize("pairs", [["ema=1", "ema.decay=0.9"], ["ema.decay=0.9", "ema=1"]])
def test_a_group_and_a_value_of_the_same_name_contradict(pairs: list[str]) -> None:
    with pytest.raises(SettingsError, match="contradicts"):
        parse_overrides(pairs)


# -- TOML ------------------------------------------------------------------------------------------------


def test_a_toml_file_gives_nested_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("steps = 3\n[ema]\ndecay = 0.9\n")
    assert read_toml(path) == {"steps": 3, "ema": {"decay": 0.9}}


@pytest.mark.parametrize("content", [b"steps = ", b"\xff\xfe"])
def test_what_is_not_toml_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\.toml is not TOML"):
        read_toml(path)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_toml_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot read settings from"):
        read_toml(tmp_path / name)


# -- precedence ------------------------------------------------------------------------------------------

settings_trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
).filter(lambda tree: isinstance(tree, dict))  # type: ignore[assignment]


@given(settings_trees)
def test_merging_with_nothing_changes_nothing(tree: dict[str, Any]) -> None:
    assert merged(tree, {}) == tree == merged({}, tree) == merged(tree, tree)


@given(settings_trees, settings_trees)
def test_what_is_laid_on_top_wins(base: dict[str, Any], over: dict[str, Any]) -> None:
    result = flattened(merged(base, over))
    for key, value in flattened(over).items():
        if not isinstance(value, dict):  # an empty group sets nothing
            assert result[key] == value


@given(settings_trees, settings_trees)
def test_merging_leaves_its_arguments_alone(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = (repr(base), repr(over))
    merged(base, over)
    assert (repr(base), repr(over)) == before


def test_groups_merge_key_by_key_and_lists_are_replaced() -> None:
    base = {"ema": {"decay": 0.9, "start": 1}, "betas": [0.0, 0.9]}
    assert merged(base, {"ema": {"start": 2}, "betas": [0.5]}) == {"ema": {"decay": 0.9, "start": 2}, "betas": [0.5]}


def test_another_backbone_drops_the_settings_of_the_one_before() -> None:
    base = {"backbone": {"name": "biggan", "width": 64}}
    assert merged(base, {"backbone": "mlp"}) == {"backbone": {"name": "mlp"}}
    assert merged(base, {"backbone": {"name": "mlp", "depth": 2}}) == {"backbone": {"name": "mlp", "depth": 2}}


def test_the_same_backbone_keeps_them() -> None:
    base = {"backbone": {"name": "biggan", "width": 64, "init": "n02"}}
    kept = {"name": "biggan", "width": 8, "init": "n02"}
    assert merged(base, {"backbone": {"width": 8}}) == {"backbone": kept}
    assert merged(base, {"backbone": {"name": "biggan", "width": 8}}) == {"backbone": kept}
    assert merged(base, {"backbone": "biggan"}) == base


@pytest.mark.parametrize("backbone", [5, 1.5, None, ["mlp"]])
def test_a_backbone_that_is_no_name_is_refused_in_words(backbone: Any) -> None:
    assert "setting 'backbone" in refusal(merged({"backbone": {"name": "biggan"}}, {"backbone": backbone}))


# -- refusing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_key", "offered"),
    [
        ("stepz", "'steps'"),
        ("ema.deacy", "'ema.decay'"),
        ("ema.strat", "'ema.start'"),
        ("evaluation.sample", "'evaluation.samples'"),
        ("decay", "'ema.decay'"),  # its group was forgotten
        ("neighbours_samples", "'evaluation.neighbours_samples'"),
        ("ema.batch_size", "'batch_size'"),  # a group too many
    ],
)
def test_an_unknown_key_offers_the_near_ones_in_full(given_key: str, offered: str) -> None:
    said = refusal(parse_overrides([f"{given_key}=1"]))
    assert said.startswith(f"method 'toy' has no setting '{given_key}'; did you mean {offered}")


def test_a_near_key_of_the_same_group_comes_before_one_elsewhere() -> None:
    class Inner(Settings):
        learning: float = 0.1

    class Outer(Settings):
        warning: float = 0.1
        inner: Inner = Inner()

    assert refusal({"inner": {"larning": 1}}, Outer).endswith("did you mean 'inner.learning'?")


def test_a_key_near_none_gets_the_list_of_its_group() -> None:
    assert refusal({"ema": {"zzz": 1}}) == ("method 'toy' has no setting 'ema.zzz'; choose from: ema.decay, ema.start")


def test_a_rule_about_several_settings_is_said_of_their_owner() -> None:
    class Ordered(Settings):
        low: int = 0
        high: int = 1

        @model_validator(mode="after")
        def _in_order(self) -> Ordered:
            if self.low > self.high:
                raise ValueError("low must not exceed high")
            return self

    assert refusal({"low": 3}, Ordered) == "method 'toy': low must not exceed high"


def test_the_prefix_of_nested_settings_is_shown() -> None:
    with pytest.raises(SettingsError, match=r"no setting 'backbone\.stepz'; did you mean 'backbone\.steps'"):
        validated(MethodSettings, {"stepz": 1}, "backbone 'toy'", prefix="backbone.")


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("steps=0", "setting 'steps' of method 'toy': Input should be greater than 0 (given: 0)"),
        ("steps=-3", "greater than 0 (given: -3)"),
        ("steps=1.5", "(given: 1.5)"),
        ("steps=many", "(given: 'many')"),
        ("ema.decay=1", "setting 'ema.decay' of method 'toy': Input should be less than 1"),
        ("ema.decay=nan", "setting 'ema.decay'"),
        ("ema=1", "setting 'ema'"),
        ("steps.x=1", "setting 'steps'"),
        ("precision=16", "'32-true' or 'bf16-mixed'"),
        ("evaluation.metrics=fd", """write --set 'evaluation.metrics=["fd"]'"""),
        ("evaluation.metrics=fd, is", """write --set 'evaluation.metrics=["fd", "is"]'"""),
    ],
)
def test_a_wrong_value_is_refused_on_one_line(pair: str, said: str) -> None:
    assert said in refusal(parse_overrides([pair]))


# -- dotted keys -----------------------------------------------------------------------------------------


def test_flattened_keys_are_those_that_set_takes() -> None:
    flat = flattened(MethodSettings().model_dump(mode="json"))
    assert set(flat) - {"backbone.name"} <= set(setting_keys(MethodSettings))


def test_an_empty_group_stays_one_key() -> None:
    assert flattened({"a": {"b": {}, "c": 1}}) == {"a.b": {}, "a.c": 1}


def test_setting_keys_look_into_optional_groups() -> None:
    class Inner(Settings):
        weight: float = 1.0

    class Outer(Settings):
        inner: Inner | None = None

    assert setting_keys(Outer) == ["inner", "inner.weight"]


def test_a_rule_about_several_settings_of_a_group_names_the_group() -> None:
    with pytest.raises(
        SettingsError, match=r"^setting 'inner' of metric 'x': evaluation\.best needs evaluation\.every"
    ):
        validated(MethodSettings, {"evaluation": {"best": "fd"}}, "metric 'x'", prefix="inner.")


def test_a_number_where_a_list_is_needed_is_offered_as_a_list_of_it() -> None:
    with pytest.raises(SettingsError, match=r"write --set 'intensities=\[0\.5\]'$"):
        validated(EvaluationSettings, {"intensities": 0.5}, "method 'x'")
