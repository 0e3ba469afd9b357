"""The table of sngan's topologies, what its settings mean, and what is refused."""

from __future__ import annotations

import pytest

from harness.builtin.models.residual.sngan import build
from harness.builtin.models.residual.sngan_settings import TOPOLOGIES, SnganSettings, design
from harness.errors import SettingsError
from harness.overrides import validated


@pytest.mark.parametrize("widths", TOPOLOGIES)
@pytest.mark.parametrize("side", [8, 16, 24, 32, 48])
def test_a_topology_is_consistent(widths, side):
    topology = TOPOLOGIES[widths][side]
    plan = design(SnganSettings(widths=widths), (3, side, side))
    assert plan.topology is topology
    assert plan.bottom == (3 if side in (24, 48) else 4)
    assert plan.bottom * 2 ** len(topology.generator_out) == side
    assert topology.generator_in[1:] == topology.generator_out[:-1]
    assert len(topology.discriminator_out) == len(topology.discriminator_down)
    halved = side // 2 ** sum(topology.discriminator_down)
    assert halved >= plan.bottom  # the last map is no smaller than the generator's first
    assert list(topology.discriminator_down) == sorted(topology.discriminator_down, reverse=True)


def test_the_paper_has_half_the_width_where_it_says_so():
    code, paper = TOPOLOGIES["code"], TOPOLOGIES["paper"]
    assert {*code} == {*paper}
    for side in (8, 16, 32):
        assert code[side].discriminator_out == tuple(2 * width for width in paper[side].discriminator_out)
        assert code[side].generator_out == paper[side].generator_out
    for side in (24, 48):
        assert code[side].generator_out == tuple(2 * width for width in paper[side].generator_out)
        assert code[side].generator_in[0] == paper[side].generator_in[0]  # the first map is as wide
        assert code[side].discriminator_out == paper[side].discriminator_out


def test_every_setting_reaches_the_design():
    settings = SnganSettings(width=7, latent_dim=20, projection_bias=False, spectral_norm_eps=1e-3, init="orthogonal")
    plan = design(settings, (1, 32, 32))
    assert (plan.width, plan.latent_dim, plan.channels, plan.resolution) == (7, 20, 1, 32)
    assert (plan.projection_bias, plan.spectral_norm, plan.init) == (False, 1e-3, "orthogonal")
    assert design(SnganSettings(projection_bias=True), (1, 32, 32)).projection_bias
    assert design(SnganSettings(spectral_norm=False), (1, 32, 32)).spectral_norm is None


def test_batch_norms_have_gains_of_their_own_and_the_latent_stays_whole():
    plan = design(SnganSettings(), (3, 48, 48))
    assert (plan.latent_pieces, plan.embedding_dim, plan.attention) == (1, 0, 0)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 28, 28), "cannot build 28 x 28 pixels (it builds squares of 8, 16, 24, 32, 48: 3 or 4 pixels doubled by "),
        ((3, 64, 64), "cannot build 64 x 64 pixels"),
        ((3, 32, 48), "cannot build 32 x 48 pixels"),
        ((2,), "backbone 'sngan' builds images [channels, height, width], not data of shape [2]"),
        ((0, 32, 32), "at least one channel, not 0"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(shape, said):
    with pytest.raises(SettingsError) as caught:
        build(SnganSettings(), shape)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"widths": "mine"}, {"width": 0}, {"init": "x"}, {"wdth": 3}])
def test_wrong_values_and_keys_are_refused(settings):
    with pytest.raises(SettingsError, match=r"widths|width|init"):
        validated(SnganSettings, settings, "backbone 'sngan'")
