"""The table of topologies, the defaults by resolution, and what is refused."""

from __future__ import annotations

import pytest

from harness.builtin.models.residual.biggan_settings import TOPOLOGIES, BigGANSettings, design
from harness.errors import SettingsError
from harness.overrides import validated


def test_the_multipliers_are_the_public_ones():
    at32, at64, at128 = TOPOLOGIES[32], TOPOLOGIES[64], TOPOLOGIES[128]
    assert (at32.generator_in, at32.generator_out) == ((4, 4, 4), (4, 4, 4))
    assert (at32.discriminator_out, at32.discriminator_down) == ((4, 4, 4, 4), (True, True, False, False))
    assert (at64.generator_in, at64.generator_out) == ((16, 16, 8, 4), (16, 8, 4, 2))
    assert (at64.discriminator_out, sum(at64.discriminator_down)) == ((1, 2, 4, 8, 16), 4)
    assert (at128.generator_in, at128.generator_out) == ((16, 16, 8, 4, 2), (16, 8, 4, 2, 1))
    assert (at128.discriminator_out, sum(at128.discriminator_down)) == ((1, 2, 4, 8, 16, 16), 5)


@pytest.mark.parametrize("resolution", TOPOLOGIES)
def test_a_topology_is_consistent(resolution):
    topology = TOPOLOGIES[resolution]
    assert 4 * 2 ** len(topology.generator_out) == resolution
    assert topology.generator_in[1:] == topology.generator_out[:-1]
    assert len(topology.discriminator_out) == len(topology.discriminator_down)
    assert not topology.discriminator_down[-1]
    assert resolution // 2 ** sum(topology.discriminator_down) >= 4


@pytest.mark.parametrize(
    ("resolution", "width", "latent_dim", "pieces", "embedding_dim", "eps", "init"),
    [
        (8, 64, 128, 1, 0, 1e-12, "normal"),
        (16, 64, 128, 1, 0, 1e-12, "normal"),
        (32, 64, 128, 1, 0, 1e-12, "normal"),
        (64, 96, 120, 5, 128, 1e-6, "orthogonal"),
        (128, 96, 120, 6, 128, 1e-6, "orthogonal"),
    ],
)
def test_defaults_follow_the_resolution(resolution, width, latent_dim, pieces, embedding_dim, eps, init):
    plan = design(BigGANSettings(), (3, resolution, resolution))
    assert (plan.width, plan.latent_dim, plan.latent_pieces) == (width, latent_dim, pieces)
    assert (plan.embedding_dim, plan.spectral_norm, plan.init) == (embedding_dim, eps, init)


def test_every_setting_that_is_given_wins_over_the_default():
    settings = BigGANSettings(
        width=7,
        latent_dim=20,
        hierarchical_latent=True,
        shared_embedding=True,
        embedding_dim=11,
        spectral_norm_eps=1e-3,
        init="orthogonal",
        attention=16,
    )
    plan = design(settings, (1, 32, 32))
    assert (plan.width, plan.latent_dim, plan.latent_pieces, plan.embedding_dim) == (7, 20, 4, 11)
    assert (plan.spectral_norm, plan.init, plan.channels, plan.attention) == (1e-3, "orthogonal", 1, 16)
    assert design(BigGANSettings(), (3, 128, 128)).attention == 0
    plain = design(BigGANSettings(hierarchical_latent=False, shared_embedding=False), (3, 64, 64))
    assert (plain.latent_pieces, plain.embedding_dim) == (1, 0)
    assert design(BigGANSettings(spectral_norm=False), (3, 64, 64)).spectral_norm is None


@pytest.mark.parametrize(
    ("settings", "shape", "said"),
    [
        ({}, (1, 28, 28), "cannot build 28 x 28 pixels (it builds squares of 8, 16, 32, 64, 128); make the images fit"),
        ({}, (3, 32, 64), "cannot build 32 x 64 pixels"),
        ({}, (2,), r"builds images [channels, height, width], not data of shape [2]; choose a backbone for points"),
        ({}, (0, 32, 32), "at least one channel, not 0"),
        ({"latent_dim": 128}, (3, 64, 64), "latent_dim=128 does not allow; set latent_dim=125 or"),
        ({"latent_dim": 3}, (3, 64, 64), "set latent_dim=5"),
        ({"attention": 64}, (3, 32, 32), "has no map of 64 x 64 for attention; set attention to 0 (none) or one of 8,"),
        ({"hierarchical_latent": True}, (3, 32, 32), "hierarchical_latent=true with shared_embedding=false"),
        ({"shared_embedding": False}, (3, 64, 64), "hierarchical_latent=true with shared_embedding=false"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(settings, shape, said):
    with pytest.raises(SettingsError) as caught:
        design(BigGANSettings(**settings), shape)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 0}, "width"),
        ({"latent_dim": -1}, "latent_dim"),
        ({"wdth": 3}, "did you mean 'width'"),
        ({"init": "x"}, "init"),
    ],
)
def test_wrong_values_and_keys_are_refused(settings, said):
    with pytest.raises(SettingsError, match=said):
        validated(BigGANSettings, settings, "backbone 'biggan'")
