"""The chain: what is drawn, what the gates let through, what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.ada.ada_settings import GROUPS, AdaSettings
from harness.builtin.augmentations.ada.pipe import NEEDS, Drawn, Pipe
from harness.errors import SettingsError
from harness.training.batch_draws import BatchDraws

EVERYTHING = AdaSettings(groups=tuple(GROUPS))
PIXELWISE = AdaSettings(groups=("colour", "filter", "noise", "cutout"))


def noise(n: int = 4, channels: int = 3, height: int = 24, width: int = 26) -> Tensor:
    return torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(0))


def drawn(settings: AdaSettings, n: int = 4, channels: int = 3, height: int = 24, width: int = 26) -> dict[str, Drawn]:
    torch.manual_seed(1)
    return Pipe(settings).draw(BatchDraws(torch.device("cpu")), n, channels, height, width)


def only(**values: list[float]) -> tuple[AdaSettings, dict[str, Drawn]]:
    """Settings with these transforms alone, and draws of one image with open gates."""
    made = {name: Drawn(torch.zeros(1, NEEDS[name].gates), torch.tensor([value])) for name, value in values.items()}
    return AdaSettings(groups=(), **{name.partition("_")[0]: 1.0 for name in values}), made


def chain(images: Tensor, p: float = 1.0, **values: list[float]) -> Tensor:
    settings, made = only(**values)
    return Pipe(settings)(images, made, torch.tensor(p))


# -- draws ---------------------------------------------------------------------------------------------------


def test_all_that_is_on_is_drawn_in_its_law_and_nothing_else():
    found = drawn(EVERYTHING, n=500)
    assert list(found) == list(NEEDS)
    normal = {"scale", "aniso", "xfrac", "brightness", "contrast", "saturation", "imgfilter", "noise"}
    assert {name for name, need in NEEDS.items() if need.law == "normal"} == normal
    for name, need in NEEDS.items():
        gate, value = found[name].gate, found[name].value
        assert (gate.shape, value.shape) == ((500, need.gates), (500, need.values))
        assert 0 <= gate.min() < gate.max() < 1
        assert (value.min() < 0) == (need.law == "normal")
        assert float(value.std()) == pytest.approx(1.0 if need.law == "normal" else math.sqrt(1 / 12), rel=0.12)
    assert found["noise"].pixels.shape == (500, 3, 24, 26)
    columns = torch.cat([column for one in found.values() for column in (one.gate, one.value)], 1)
    correlation = torch.corrcoef(columns.t()) - torch.eye(columns.shape[1])
    assert correlation.abs().max() < 0.25  # no number serves twice


def test_grey_images_have_no_hue_and_no_saturation():
    assert set(NEEDS) - set(Pipe(EVERYTHING).transforms(1)) == {"hue", "saturation"}
    assert set(drawn(AdaSettings(groups=("colour",)), channels=1)) == {"brightness", "contrast", "lumaflip"}


def test_two_devices_draw_what_one_does():
    cpu, parts = torch.device("cpu"), []
    for rank in range(2):
        torch.manual_seed(1)
        parts.append(Pipe(EVERYTHING).draw(BatchDraws(cpu, rank, 2), 2, 3, 24, 26))
    for name, whole in drawn(EVERYTHING).items():
        assert torch.equal(torch.cat([part[name].gate for part in parts]), whole.gate)
        assert torch.equal(torch.cat([part[name].value for part in parts]), whole.value)


# -- gates ---------------------------------------------------------------------------------------------------


def test_at_p_nought_images_come_back():
    images = noise()
    assert torch.allclose(Pipe(EVERYTHING)(images, drawn(EVERYTHING), torch.tensor(0.0)), images, atol=5e-5)
    # without geometry nothing is resampled
    assert torch.allclose(Pipe(PIXELWISE)(images, drawn(PIXELWISE), torch.tensor(0.0)), images, atol=2e-6)


def test_with_nothing_on_images_come_back_untouched():
    assert torch.equal(Pipe(AdaSettings(groups=()))(noise(), {}, torch.tensor(1.0)), noise())


@pytest.mark.parametrize("p", [1.0, 1.7])
def test_above_one_every_gate_is_open(p):
    found = Pipe(EVERYTHING)(noise(), drawn(EVERYTHING), torch.tensor(p))
    opened = {name: Drawn(torch.zeros_like(one.gate), one.value, one.pixels) for name, one in drawn(EVERYTHING).items()}
    assert torch.equal(found, Pipe(EVERYTHING)(noise(), opened, torch.tensor(1.0)))


def test_a_gate_is_open_below_share_times_p_for_each_image_alone():
    settings = AdaSettings(groups=(), brightness=0.5)
    made = {"brightness": Drawn(torch.tensor([[0.0], [0.19], [0.2], [0.5]]), torch.full((4, 1), 5.0))}
    lifted = Pipe(settings)(torch.zeros(4, 1, 2, 2), made, torch.tensor(0.4))
    assert lifted[:, 0, 0, 0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_two_rotations_are_at_least_once_as_probable_as_asked():
    edge = 1 - math.sqrt(1 - 0.5 * 0.6)
    settings = AdaSettings(groups=(), rotate=0.5)
    gates = torch.tensor([[edge - 1e-4], [edge + 1e-4]])
    made = {"rotate_before": Drawn(gates, torch.zeros(2, 1)), "rotate_after": Drawn(gates + 1, torch.zeros(2, 1))}
    images = noise(2)
    turned = (Pipe(settings)(images, made, torch.tensor(0.6)) - images).abs().amax((1, 2, 3))
    assert turned[0] > 1
    assert turned[1] < 1e-4


def test_bands_have_gates_and_shares_of_their_own():
    images = noise(1)
    values, open_gates = torch.ones(1, 4), torch.zeros(1, 4)

    def filtered(gate: Tensor, **settings) -> Tensor:
        pipe = Pipe(AdaSettings(groups=("filter",), **settings))
        return pipe(images, {"imgfilter": Drawn(gate, values)}, torch.tensor(1.0))

    by_gate = filtered(torch.tensor([[1.0, 1.0, 0.0, 1.0]]))
    assert torch.equal(by_gate, filtered(open_gates, imgfilter_bands=(0, 0, 1, 0)))
    assert (by_gate - images).abs().max() > 0.1


# -- transforms ----------------------------------------------------------------------------------------------


def test_shifts_by_whole_pixels_are_shares_of_either_side_rounded_half_to_even():
    images = noise(1, height=24, width=36)
    moved = chain(images, xint=[1.0, 1.0 / 6])  # 36 / 8 = 4.5 to the right, a draw of 1 being allowed here; -2 down
    assert torch.allclose(moved[:, :, :-2, 4:], images[:, :, 2:, :-4], atol=5e-6)


def test_shifts_by_fractions_are_shares_of_either_side():
    images = noise(1, height=24, width=36)
    moved = chain(images, xfrac=[2 / 4.5, -1 / 3])  # shares of 36 / 8 to the right and of 24 / 8 up
    assert torch.allclose(moved[:, :, :-1, 2:], images[:, :, 1:, :-2], atol=5e-6)
    assert (chain(images, xfrac=[1 / 4.5 / 2, 0.0]) - images).abs().max() > 0.1


def test_the_stretch_is_horizontal_and_the_squeeze_vertical():
    places = torch.arange(33) - 16.0
    spot = torch.exp(-(places**2) / 18)
    seen = chain((spot[:, None] * spot)[None, None], aniso=[2.5])[0, 0]  # by 2^(0.2 2.5)
    assert torch.allclose(seen[16], torch.exp(-(places**2) / 36), atol=0.02)
    assert torch.allclose(seen[:, 16], torch.exp(-(places**2) / 9), atol=0.02)


def test_the_second_turn_follows_the_stretch():
    places = torch.arange(33) - 16.0
    spot = torch.exp(-(places**2) / 18)
    round_spot = (spot[:, None] * spot)[None, None]
    quarter = [0.75]  # from half a turn back, at 0, to half a turn on, at 1
    for rotated in ("rotate_before", "rotate_after"):
        seen = chain(round_spot, **{rotated: quarter}, aniso=[2.5])[0, 0]
        upright = float(seen[8, 16]) > float(seen[16, 8])
        assert upright == (rotated == "rotate_after")


def test_quarter_turns_and_mirrors_are_near_those_of_pixels():
    ramp = torch.linspace(-1, 1, 24)
    smooth = (ramp[None, :] * 0.3 + ramp[:, None] * 0.6 + ramp[None, :] * ramp[:, None])[None, None]

    def inner(images: Tensor) -> Tensor:
        return images[..., 4:-4, 4:-4]

    for turns in range(4):
        turned = chain(smooth, rotate90=[turns / 4 + 0.1])
        assert (inner(turned) - inner(smooth.rot90(turns, (2, 3)))).abs().max() < 0.08
    assert (inner(chain(smooth, xflip=[0.6])) - inner(smooth.flip(3))).abs().max() < 0.08
    assert torch.allclose(chain(smooth, xflip=[0.4]), smooth, atol=1e-5)


def test_colours_are_lifted_before_they_are_stretched():
    image = torch.full((1, 1, 2, 2), 0.5)
    found = chain(image, brightness=[1.0], contrast=[2.0])  # (0.5 + 0.2) 2^(0.5 2)
    assert torch.allclose(found, torch.tensor(1.4))


def test_noise_comes_in_the_strength_drawn_and_a_hole_over_it():
    settings = AdaSettings(groups=("noise", "cutout"))
    made = {
        "noise": Drawn(torch.zeros(1, 1), torch.tensor([[-2.0]]), torch.ones(1, 1, 2, 4)),
        "cutout": Drawn(torch.zeros(1, 1), torch.tensor([[0.25, 0.25]])),
    }
    found = Pipe(settings)(torch.zeros(1, 1, 2, 4), made, torch.tensor(1.0))[0, 0]
    assert torch.allclose(found, torch.tensor([[0.0, 0.0, 0.2, 0.2], [0.2, 0.2, 0.2, 0.2]]))


def test_every_strength_can_be_set():
    images = noise(1)
    strengths = [name for name in AdaSettings.model_fields if name.endswith(("_max", "_std", "_size"))]
    made = drawn(EVERYTHING, n=1)

    def result(**changed: float) -> Tensor:
        return Pipe(EVERYTHING.model_copy(update=changed))(images, made, torch.tensor(1.0))

    assert len(strengths) == 12
    assert [name for name in strengths if torch.equal(result(**{name: 0.05}), result())] == []
    # with no strength at all nothing happens
    assert torch.allclose(result(**dict.fromkeys(strengths, 0.0), xflip=0, rotate90=0, lumaflip=0), images, atol=5e-5)


# -- what comes out ------------------------------------------------------------------------------------------


def test_images_keep_their_type_and_are_computed_in_float32():
    images = noise(2).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = Pipe(EVERYTHING)(images, drawn(EVERYTHING, n=2), torch.tensor(1.0))
    assert found.dtype == torch.bfloat16
    exact = Pipe(EVERYTHING)(images.float(), drawn(EVERYTHING, n=2), torch.tensor(1.0))
    assert torch.equal(found, exact.bfloat16())


def test_the_second_derivative_is_that_of_a_linear_map():
    """With A the linear part, |A' v|^2 (as R1 makes it) has the gradient 2 A A' v in v."""
    pipe, made, p = Pipe(EVERYTHING), drawn(EVERYTHING), torch.tensor(1.0)
    images = noise().requires_grad_()
    v = torch.randn(images.shape, generator=torch.Generator().manual_seed(2)).requires_grad_()
    (first,) = torch.autograd.grad((pipe(images, made, p) * v).sum(), images, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), v)
    with torch.no_grad():
        expected = 2 * (pipe(first, made, p) - pipe(torch.zeros_like(first), made, p))
        assert (first * images).sum() == pytest.approx(
            float((v * (pipe(images, made, p) - pipe(torch.zeros_like(images), made, p))).sum()), rel=1e-4
        )
    assert (second - expected).abs().max() < 1e-5 * expected.abs().max()


# -- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [2, 4])
def test_other_than_one_or_three_channels_are_refused(channels):
    with pytest.raises(SettingsError, match=f"1 or 3 channels, not {channels}$"):
        Pipe(AdaSettings())(noise(1, channels), {}, torch.tensor(0.0))


def test_images_too_small_for_the_filters_are_refused_only_if_filters_are_on():
    small = noise(1, height=21, width=40)
    with pytest.raises(SettingsError, match="at least 22 pixels a side, not 40 x 21; leave filter out of its groups"):
        Pipe(EVERYTHING)(small, {}, torch.tensor(0.0))
    Pipe(AdaSettings()).check(*small.shape[1:])
    Pipe(EVERYTHING).check(3, 22, 22)
