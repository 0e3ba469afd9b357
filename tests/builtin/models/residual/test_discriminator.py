"""The residual discriminator: blocks and a sum over pixels in order, what its heads say, and what is asked for."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from small_biggan import CONDITION, Echo, backbone, count
from small_residual import small_design

from harness.builtin.models.residual.discriminator import BigGANDiscriminator


def test_projection_adds_one_vector_a_class():
    with torch.device("meta"):
        built = backbone(32)
        plain, told = built.discriminator(), built.discriminator(conditions=7)
    assert count(told) - count(plain) == 7 * told.feature_dim


def test_width_scales_every_place():
    narrow, wide = backbone(width=3).discriminator(), backbone(width=6).discriminator()
    assert [place.width for place in narrow.places] == [12, 12, 12]
    assert [place.width for place in wide.places] == [24, 24, 24]


def test_packed_images_are_stacked_along_the_channels():
    discriminator = backbone(8, 3).discriminator(pack=2)
    assert discriminator(torch.randn(4, 6, 8, 8)).score.shape == (4,)


def test_the_feature_is_the_sum_over_pixels_of_the_last_maps_positive_part():
    critique = backbone().discriminator()(torch.randn(2, 1, 8, 8))
    torch.testing.assert_close(critique.feature, F.relu(critique.maps["block3"]).sum((2, 3)))


def test_outputs_and_extra_heads_are_as_asked_for():
    critique = backbone().discriminator(outputs=5, heads={"code": 7})(torch.randn(2, 1, 8, 8))
    assert critique.score.shape == (2, 5)
    assert critique.heads["code"].shape == (2, 7)
    assert backbone().discriminator(outputs=0)(torch.randn(2, 1, 8, 8)).logit is None


def made(conditions: int = 0, pack: int = 1, adapters=None, **changes) -> BigGANDiscriminator:
    torch.manual_seed(0)
    return BigGANDiscriminator(small_design(**changes), conditions, 1, {}, pack, adapters).double()


def images(channels: int = 2):
    return torch.randn(3, channels, 20, 20, dtype=torch.float64)


def test_from_the_image_to_the_logit_it_does_what_is_written_out_here():
    discriminator, x = made(conditions=3), images()
    h = x
    for block in discriminator.blocks:
        h = block(h)
    feature = h.clamp_min(0).sum((2, 3))
    critique = discriminator(x, CONDITION)
    torch.testing.assert_close(critique.feature, feature)
    heads = discriminator.heads
    rows = (heads.projection.weight[CONDITION] * feature).sum(1)
    torch.testing.assert_close(critique.logit, feature @ heads.linear.weight[0] + heads.linear.bias + rows)
    assert [(place.width, place.resolution) for place in discriminator.places] == [(2, 10), (8, 10), (10, 5)]
    assert [tuple(m.shape[1:]) for m in critique.maps.values()] == [(2, 10, 10), (8, 10, 10), (10, 5, 5)]


def test_the_first_block_alone_sees_the_image_as_it_is():
    discriminator = made()
    assert [block.first for block in discriminator.blocks] == [True, False, False]
    assert [block.down for block in discriminator.blocks] == [True, False, True]


def test_a_projection_has_a_bias_a_condition_only_where_the_design_says_so():
    assert count(made(conditions=3, projection_bias=True)) - count(made(conditions=3)) == 3


def test_packed_images_are_more_channels_for_the_first_block_alone():
    discriminator = made(pack=3)
    assert discriminator(images(6)).score.shape == (3,)
    shapes, plain = ({name: p.shape for name, p in d.named_parameters()} for d in (discriminator, made()))
    assert [name for name in shapes if shapes[name] != plain[name]] == [
        "blocks.0.conv1.weight",
        "blocks.0.shortcut.weight",
    ]


def test_attention_comes_after_each_block_with_a_map_of_that_side_and_before_the_place():
    discriminator = made(attention=10, adapters=Echo)
    assert list(discriminator.attention) == ["block1", "block2"]
    out = {}
    for name, layer in discriminator.attention.items():
        layer.register_forward_hook(lambda module, given, found, name=name: out.update({name: found}))
    discriminator(images())
    assert all(found is discriminator.adapters.get_submodule(name).seen for name, found in out.items())
    assert len(out) == 2
