"""Which layers the dcgan backbone has at which size, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import BOTTOMS, DcganSettings, design
from harness.errors import SettingsError
from harness.overrides import validated


def layers(side: int, width: int = 1, pack: int = 1, **settings: str) -> list[tuple[int, int, bool]]:
    plan = design(DcganSettings(width=width, **settings), (3, side, side), pack)
    return [(layer.inputs, layer.outputs, layer.halves) for layer in plan.discriminator]


def test_the_layers_at_32_pixels_are_the_published_ones():
    """Liu et al. (CVPR 2020): 3 x 3 and strided 4 x 4 convolutions in turn, or strided ones alone."""
    assert layers(32, 64) == [
        *((3, 64, False), (64, 64, True), (64, 128, False), (128, 128, True)),
        *((128, 256, False), (256, 256, True), (256, 512, False)),
    ]
    strided = [(3, 64, True), (64, 128, True), (128, 256, True), (256, 512, True)]
    assert layers(32, 64, discriminator="strided") == strided
    assert design(DcganSettings(), (3, 32, 32)).generator == (512, 256, 128, 64)


@pytest.mark.parametrize("side", BOTTOMS)
def test_the_generator_doubles_from_its_first_map_to_the_image_and_halves_its_width(side):
    plan = design(DcganSettings(width=3), (2, side, side))
    assert (plan.resolution, plan.channels, plan.bottom) == (side, 2, BOTTOMS[side])
    assert plan.bottom * 2 ** (len(plan.generator) - 1) == side
    assert plan.generator == tuple(3 * 2**n for n in reversed(range(len(plan.generator))))


@pytest.mark.parametrize("side", BOTTOMS)
def test_the_discriminator_ends_where_the_generator_began_and_the_strided_one_a_step_below(side):
    for kind, below in (("alternating", 1), ("strided", 2)):
        plan = design(DcganSettings(discriminator=kind), (3, side, side))
        assert plan.feature_side * below == BOTTOMS[side]
        chain = [(before.outputs, after.inputs) for before, after in pairwise(plan.discriminator)]
        assert all(outputs == inputs for outputs, inputs in chain)
        assert plan.discriminator[-1].outputs == plan.generator[0]


def test_packed_images_are_more_channels_for_the_first_layer_alone():
    one, three = layers(8), layers(8, pack=3)
    assert (one[0], three[0]) == ((3, 1, False), (9, 1, False))
    assert one[1:] == three[1:]


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 32, 16), (2,), (0, 32, 32)])
def test_no_design_has_another_shape(shape):
    with pytest.raises(SettingsError, match="^backbone 'dcgan' "):
        design(DcganSettings(), shape)


@pytest.mark.parametrize("settings", [{"discriminator": "deep"}, {"width": 0}, {"conditioning": "x"}, {"wdth": 3}])
def test_wrong_values_and_keys_are_refused(settings):
    with pytest.raises(SettingsError, match=r"discriminator|width|conditioning"):
        validated(DcganSettings, settings, "backbone 'dcgan'")


def test_at_64_pixels_there_is_one_layer_more_and_the_widths_go_on_doubling():
    with torch.device("meta"):
        built = build(DcganSettings(), (3, 64, 64))
        generator, discriminator = built.generator(), built.discriminator()
    assert generator.linear.out_features == 1024 * 16
    assert [place.width for place in generator.places] == [512, 256, 128, 64]
    assert [place.width for place in discriminator.places] == [64, 64, 128, 128, 256, 256, 512, 512, 1024]
