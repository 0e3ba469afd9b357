"""The dcgan backbone: parameter counts written out by hand, the layers one by one, and what is refused."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from small_biggan import CONDITION, Echo
from torch import nn

from harness.builtin.models.dcgan.backbone import build
from harness.builtin.models.dcgan.dcgan_settings import BOTTOMS, DcganSettings
from harness.errors import SettingsError
from harness.overrides import validated

DESIGNS = ("alternating", "strided")


def pair(side: int = 8, conditions: int = 3, adapters=None, channels: int = 1, **settings):
    torch.manual_seed(0)
    small = {"width": 2, "latent_dim": 6, "embedding_dim": 5}
    built = build(DcganSettings(**{**small, **settings}), (channels, side, side))
    generator = built.generator(conditions=conditions, adapters=adapters)
    return generator, built.discriminator(conditions=conditions, adapters=adapters)


def count(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


# -- parameter counts ------------------------------------------------------------------------------------------------


def conv(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + outputs


@pytest.mark.parametrize(("k", "millions"), [(0, 3.81), (100, 5.94)])
@pytest.mark.parametrize(("side", "bottom"), [(32, 4), (48, 6)])
def test_the_generators_parameters_are_the_published_ones(k, millions, side, bottom):
    dense = (128 + (256 if k else 0) + 1) * 512 * bottom**2
    stack = conv(512, 256, 4) + conv(256, 128, 4) + conv(128, 64, 4) + 2 * (256 + 128 + 64) + conv(64, 3, 3)
    with torch.device("meta"):
        generator = build(DcganSettings(), (3, side, side)).generator(conditions=k)
    assert count(generator) == dense + stack + 256 * k
    if side == 32:
        assert round(count(generator) / 1e6, 2) == millions


ALTERNATING = (
    *(conv(3, 64, 3), conv(64, 64, 4), conv(64, 128, 3), conv(128, 128, 4)),
    *(conv(128, 256, 3), conv(256, 256, 4), conv(256, 512, 3)),
)
STRIDED = (
    *(conv(3, 64, 4), conv(64, 128, 4), conv(128, 256, 4), conv(256, 512, 4)),
    2 * (64 + 128 + 256 + 512),  # batch norm
)


@pytest.mark.parametrize(
    ("kind", "layers", "feature", "k", "millions"),
    [
        ("alternating", ALTERNATING, 8192, 0, 2.94),
        ("alternating", ALTERNATING, 8192, 100, 3.75),
        ("strided", STRIDED, 2048, 0, 2.76),
        ("strided", STRIDED, 2048, 100, 2.96),
    ],
)
def test_the_discriminators_parameters_are_the_published_ones(kind, layers, feature, k, millions):
    with torch.device("meta"):
        discriminator = build(DcganSettings(discriminator=kind), (3, 32, 32)).discriminator(conditions=k)
    assert discriminator.feature_dim == feature
    # a row of weights and a bias for every condition, and nothing shared
    assert count(discriminator) == sum(layers) + max(k, 1) * (feature + 1)
    assert round(count(discriminator) / 1e6, 2) == millions


# -- what they compute -----------------------------------------------------------------------------------------------


def normalised(h, norm):
    """Batch norm with the statistics of the batch, written out."""
    mean, variance = h.mean((0, 2, 3), keepdim=True), h.var((0, 2, 3), keepdim=True, unbiased=False)
    h = (h - mean) / (variance + 1e-5).sqrt()
    return h * norm.weight[:, None, None] + norm.bias[:, None, None]


def convolved(h, layer, stride):
    """A convolution as a sum over the pixels under its kernel."""
    size = layer.weight.shape[-1]
    columns = F.unfold(h, size, padding=1, stride=stride)  # [N, inputs * size * size, pixels]
    side = (h.shape[-1] + 2 - size) // stride + 1
    return (layer.weight.flatten(1) @ columns).unflatten(2, (side, side)) + layer.bias[:, None, None]


def up_convolved(h, layer):
    """A transposed convolution: every pixel adds its kernel to 4 x 4 pixels of the result, two apart from the next."""
    n, _, side, _ = h.shape
    result = torch.zeros(n, layer.weight.shape[1], 2 * side + 2, 2 * side + 2, dtype=h.dtype)
    for i in range(side):
        for j in range(side):
            result[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += torch.einsum(
                "ni,iokl->nokl", h[:, :, i, j], layer.weight
            )
    return result[:, :, 1:-1, 1:-1] + layer.bias[:, None, None]


def test_the_generator_does_what_is_written_out_here():
    generator, _ = pair(16)
    generator.double()
    latent = torch.randn(3, 6, dtype=torch.float64)
    rows = generator.embedding.weight[CONDITION]
    h = torch.cat([latent, rows / rows.square().sum(1, keepdim=True).sqrt()], 1)
    h = (h @ generator.linear.weight.T + generator.linear.bias).reshape(3, 8, 4, 4)
    for up, norm, _ in generator.blocks:
        h = normalised(up_convolved(h, up), norm).clamp_min(0)
    torch.testing.assert_close(generator(latent, CONDITION), convolved(h, generator.conv, 1).tanh())


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_discriminator_does_what_is_written_out_here(kind):
    _, discriminator = pair(16, discriminator=kind, channels=3)
    discriminator.double()
    h = images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    strides = (2, 2, 2) if kind == "strided" else (1, 2, 1, 2, 1)
    slope = 0.2 if kind == "strided" else 0.1
    for (layer, *norms), stride in zip(discriminator.blocks, strides, strict=True):
        assert layer.weight.shape[-1] == (4 if stride == 2 else 3)
        h = convolved(h, layer, stride)
        assert len(norms) == (2 if kind == "strided" else 1)  # with batch norm, or the activation alone
        h = normalised(h, norms[0]) if kind == "strided" else h
        h = torch.where(h > 0, h, slope * h)
    critique = discriminator(images, CONDITION)
    torch.testing.assert_close(critique.feature, h.reshape(3, -1))
    head = discriminator.heads.rows.linear
    every = h.reshape(3, -1) @ head.weight.T + head.bias  # one logit a condition
    torch.testing.assert_close(critique.logit, every[range(3), CONDITION])


def test_the_embedding_of_a_condition_has_unit_length_when_it_is_used():
    generator, _ = pair()
    generator.eval()
    latent = torch.randn(3, 6)
    before = generator(latent, CONDITION)
    with torch.no_grad():
        generator.embedding.weight.mul_(7.0)
    torch.testing.assert_close(generator(latent, CONDITION), before)
    assert not torch.allclose(generator(latent, (CONDITION + 1) % 3), before)


def test_a_projection_can_stand_in_for_the_rows():
    _, discriminator = pair(conditioning="projection")
    heads = discriminator.heads
    critique = discriminator(torch.randn(3, 1, 8, 8), CONDITION)
    f = critique.feature
    expected = f @ heads.linear.weight[0] + heads.linear.bias + (heads.projection.weight[CONDITION] * f).sum(1)
    torch.testing.assert_close(critique.logit, expected)


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


def test_at_64_pixels_there_is_one_layer_more_and_the_widths_go_on_doubling():
    with torch.device("meta"):
        built = build(DcganSettings(), (3, 64, 64))
        generator, discriminator = built.generator(), built.discriminator()
    assert generator.linear.out_features == 1024 * 16
    assert [place.width for place in generator.places] == [512, 256, 128, 64]
    assert [place.width for place in discriminator.places] == [64, 64, 128, 128, 256, 256, 512, 512, 1024]


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


def test_only_the_strided_discriminator_looks_at_the_rest_of_the_batch():
    images = torch.randn(4, 1, 8, 8)
    for kind in DESIGNS:
        _, discriminator = pair(conditions=0, discriminator=kind)
        alone, beside = discriminator(images[:2]).score, discriminator(images).score[:2]
        assert torch.allclose(alone, beside, atol=1e-5) == (kind == "alternating")


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


def test_initial_values_are_torchs_own():
    generator, _ = pair(32, width=32, latent_dim=100)
    layer = generator.linear
    bound = (100 + 5) ** -0.5
    assert layer.weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert all((m.weight == 1).all() for m in generator.modules() if isinstance(m, nn.BatchNorm2d))


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


@pytest.mark.parametrize("settings", [{"discriminator": "deep"}, {"width": 0}, {"conditioning": "x"}, {"wdth": 3}])
def test_wrong_values_and_keys_are_refused(settings):
    with pytest.raises(SettingsError, match=r"discriminator|width|conditioning"):
        validated(DcganSettings, settings, "backbone 'dcgan'")
