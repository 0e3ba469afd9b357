"""What a trained object says of itself is read off it; one that says nothing can and knows nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.contracts.capabilities import CAPABILITIES, all_variants, calibration_split, conditions_of, told_labels
from harness.errors import EvaluationError


def members(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]


def able_to(*names: str) -> Any:
    return SimpleNamespace(**{name: lambda *given: None for name in names})


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_capability_is_all_of_its_members_and_nothing_else(name: str) -> None:
    protocol = CAPABILITIES[name]
    needed = members(protocol)
    assert isinstance(able_to(*needed, "more"), protocol)
    for left_out in needed:
        assert not isinstance(able_to(*{*needed} - {left_out}), protocol), left_out


@pytest.mark.parametrize(
    ("methods", "names"),
    [
        *((name, [name]) for name in ("sample", "reconstruct", "outlier_scores", "assign")),
        *((name, [name]) for name in ("latent_scale", "layers", "reported")),
        ("latents generate", ["latents"]),
        ("styles generate_from_styles", ["styles"]),
        ("latents", []),  # from which nothing can be generated
        ("sample assign reported", ["sample", "assign", "reported"]),
    ],
)
def test_a_trained_object_has_the_capabilities_whose_methods_it_has(methods: str, names: list[str]) -> None:
    trained = able_to(*methods.split())
    assert [name for name, protocol in CAPABILITIES.items() if isinstance(trained, protocol)] == names


def test_who_does_not_say_is_told_no_condition() -> None:
    assert conditions_of(object()) == 0
    assert conditions_of(SimpleNamespace(n_conditions=7)) == 7


@pytest.mark.parametrize("said", [True, False])
def test_conditions_are_labels_only_where_that_is_said(said: bool) -> None:
    assert told_labels(SimpleNamespace(told_labels=said)) is said
    assert told_labels(SimpleNamespace(n_conditions=10)) is False


def test_variants_come_after_the_object_itself_and_only_where_there_are_any() -> None:
    plain = object()
    assert all_variants(plain) == [plain]
    first, second = object(), object()
    varied = SimpleNamespace(variants=lambda: (first, second))
    assert all_variants(varied) == [varied, first, second]


def test_who_is_calibrated_is_so_by_what_it_was_trained_on_unless_it_says_otherwise() -> None:
    assert calibration_split(object()) is None
    assert calibration_split(SimpleNamespace(calibrated_on="test")) is None  # and has nothing to calibrate
    assert calibration_split(able_to("calibrate")) == "train"
    for split in ("train", "test"):
        assert calibration_split(SimpleNamespace(calibrate=print, calibrated_on=split)) == split
    with pytest.raises(EvaluationError, match="the method says calibrated_on = 'val'; it is 'train' or 'test'"):
        calibration_split(SimpleNamespace(calibrate=print, calibrated_on="val"))
