"""Square images of the sides that a backbone builds are taken; for others the error says which those are."""

from __future__ import annotations

import pytest

from harness.errors import SettingsError
from harness.layers.image_shape import square

SIDES = {16: "small", 32: "large"}


def refusal(shape: tuple[int, ...], why: str = "") -> str:
    with pytest.raises(SettingsError) as caught:
        square("mine", shape, iter(SIDES), why)  # looked through, and then listed
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("shape", "found"), [((3, 32, 32), (3, 32)), ((1, 16, 16), (1, 16)), ((9, 16, 16), (9, 16))])
def test_channels_and_side_are_read_off(shape: tuple[int, ...], found: tuple[int, int]) -> None:
    assert square("mine", shape, SIDES) == found


@pytest.mark.parametrize(("height", "width"), [(28, 28), (32, 16), (16, 32), (0, 0)])
def test_other_sizes_are_refused_with_the_sides_and_how_to_get_there(height: int, width: int) -> None:
    assert refusal((3, height, width)) == (
        f"backbone 'mine' cannot build {height} x {width} pixels (it builds squares of 16, 32); "
        "make the images fit with --set fit=pad, fit=resize or fit=crop:SIZE"
    )


def test_why_only_these_is_said_where_it_is_known() -> None:
    assert "(it builds squares of 16, 32: 4 pixels doubled by every block); make" in refusal(
        (3, 28, 28), "4 pixels doubled by every block"
    )


@pytest.mark.parametrize("shape", [(2,), (32, 32), (1, 3, 32, 32), ()])
def test_what_is_no_image_is_refused_with_a_backbone_for_points(shape: tuple[int, ...]) -> None:
    assert refusal(shape) == (
        f"backbone 'mine' builds images [channels, height, width], not data of shape {list(shape)}; "
        "choose a backbone for points, e.g. --set backbone=mlp"
    )


@pytest.mark.parametrize("channels", [0, -1])
def test_images_without_a_channel_are_refused(channels: int) -> None:
    assert refusal((channels, 32, 32)) == f"backbone 'mine' needs images with at least one channel, not {channels}"
