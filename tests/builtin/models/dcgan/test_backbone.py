"""The dcgan backbone: both networks at every size, in every precision, with and without adapters; what is refused."""

from __future__ import annotations

import copy

import pytest
import torch
from small_biggan import CONDITION, Echo
from small_dcgan import DESIGNS, pair

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import BOTTOMS, DcganSettings
from harness.errors import SettingsError

# -- shapes and places -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("side", BOTTOMS)
@pytest.mark.parametrize(("conditions", "channels"), [(0, 1), (3, 3)])
def test_shapes_places_and_adapters_at_every_size(kind, side, conditions, channels):
    generator, discriminator = pair(side, conditions, Echo, channels, discriminator=kind)
    condition = CONDITION if conditions else None
    images = generator(torch.randn(3, 6), condition)
    critique = discriminator(images, condition)
    assert images.shape == (3, channels, side, side)
    assert images.abs().max() <= 1
    assert images.is_contiguous()
    assert critique.score.shape == (3,)
    for network in (generator, discriminator):
        for echo, place in zip(network.adapters.children(), network.places, strict=True):
            assert echo.seen.shape == (3, place.width, place.resolution, place.resolution)
    names = [place.name for place in discriminator.places]
    assert list(critique.maps) == names
    assert critique.notes == {name: name for name in names}
    assert torch.equal(critique.feature, critique.maps[names[-1]].flatten(1))
    assert generator.places[-1].resolution == side
    last = BOTTOMS[side] // 2 if kind == "strided" else BOTTOMS[side]
    assert (discriminator.places[-1].resolution, discriminator.feature_dim) == (last, critique.feature.shape[1])
    critique.score.sum().backward()
    assert all(p.grad is not None for network in (generator, discriminator) for p in network.parameters())


@pytest.mark.parametrize("kind", DESIGNS)
def test_packs_outputs_and_extra_heads_are_as_asked_for(kind):
    built = build(DcganSettings(width=2, discriminator=kind), (3, 8, 8))
    assert built.discriminator(pack=3)(torch.randn(4, 9, 8, 8)).score.shape == (4,)
    critique = built.discriminator(outputs=5, heads={"code": 7})(torch.randn(2, 3, 8, 8))
    assert (critique.score.shape, critique.heads["code"].shape) == ((2, 5), (2, 7))
    assert built.discriminator(outputs=0)(torch.randn(2, 3, 8, 8)).logit is None
    with pytest.raises(SettingsError, match="has one output, not 2"):
        built.discriminator(conditions=3, outputs=2)
    with pytest.raises(SettingsError, match="conditions=-2"):
        built.generator(conditions=-2)


# -- precision, states, adapters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DESIGNS)
def test_networks_run_in_double_and_under_bf16(kind):
    generator, discriminator = pair(16, discriminator=kind)
    doubles = copy.deepcopy(generator).double(), copy.deepcopy(discriminator).double()
    latent = torch.randn(3, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        images = generator(latent, CONDITION)
        critique = discriminator(images, CONDITION)
    assert images.dtype == critique.score.dtype == critique.feature.dtype == torch.float32
    assert critique.maps["block1"].dtype == torch.bfloat16
    critique.score.sum().backward()
    assert all(torch.isfinite(p.grad).all() for network in (generator, discriminator) for p in network.parameters())
    out = doubles[1](doubles[0](latent.double(), CONDITION), CONDITION)
    assert out.score.dtype == torch.float64


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_saved_state_goes_on_bit_for_bit_and_adapters_change_nothing_else(kind):
    networks, others = pair(discriminator=kind), pair(discriminator=kind, adapters=Echo)
    latent = torch.randn(3, 6)
    for network, other in zip(networks, others, strict=True):
        state = network.state_dict()
        assert all(torch.equal(value, other.state_dict()[name]) for name, value in state.items())
        with torch.no_grad():
            for value in other.parameters():
                value.mul_(0.5)
        other.load_state_dict(state, strict=False)
    scores = [d(g(latent, CONDITION), CONDITION).score for g, d in (networks, others)]
    assert torch.equal(*scores)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 28, 28), "backbone 'dcgan' cannot build 28 x 28 pixels (it builds squares of 8, 16, 32, 48, 64); make"),
        ((3, 32, 16), "cannot build 32 x 16 pixels"),
        ((2,), "builds images [channels, height, width], not data of shape [2]; choose a backbone for points"),
        ((0, 32, 32), "at least one channel, not 0"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(shape, said):
    with pytest.raises(SettingsError) as caught:
        build(DcganSettings(), shape)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
