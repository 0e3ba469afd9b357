"""A backbone of two functions: what is asked for reaches them, and what no network can be is refused before."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import SettingsError
from harness.layers.builder import NetworkBuilder, check_discriminator


def echoing() -> NetworkBuilder:
    """A builder whose networks are what it was asked for."""
    either: Any = lambda *given: given  # noqa: E731
    return NetworkBuilder(latent_dim=7, make_generator=either, make_discriminator=either)


def refusal(network: str, **asked: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        getattr(echoing(), network)(**asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_asked_for_is_a_network_that_is_told_nothing_and_gives_one_number():
    assert echoing().generator() == (0, None)
    assert echoing().discriminator() == (0, 1, {}, 1, None)


def test_what_is_asked_for_reaches_the_function_that_builds():
    factory = lambda place: None  # noqa: E731
    assert echoing().generator(conditions=4, adapters=factory) == (4, factory)
    asked = {"conditions": 0, "outputs": 5, "heads": {"code": 3}, "pack": 2, "adapters": factory}
    assert echoing().discriminator(**asked) == tuple(asked.values())


@pytest.mark.parametrize("outputs", [0, 1])
def test_conditions_go_with_one_output_or_none(outputs):
    assert echoing().discriminator(conditions=3, outputs=outputs)[:2] == (3, outputs)


def test_a_generator_cannot_have_fewer_than_no_conditions():
    assert refusal("generator", conditions=-2) == "a generator cannot have conditions=-2; give 0 or more"


def test_a_discriminator_is_checked_before_it_is_built():
    assert refusal("discriminator", conditions=3, outputs=2).endswith(
        "set outputs=1 (or 0), or conditions=0 for a head with many outputs"
    )
    assert refusal("discriminator", heads={"code": 2, "angle": 0}) == (
        "head 'angle' of the discriminator has width 0; give it at least one output"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((3, 5, {}, 1), "told one of 3 conditions has one output, not 5"),
        ((-1, 1, {}, 1), "conditions=-1"),
        ((0, -1, {}, 1), "outputs=-1"),
        ((0, 1, {}, 0), "pack=0"),
        ((0, 1, {"code": 0}, 1), "head 'code' of the discriminator has width 0"),
    ],
)
def test_what_no_discriminator_can_be_is_refused_in_one_line(arguments, said):
    with pytest.raises(SettingsError) as caught:
        check_discriminator(*arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
