"""Sets of views: range, draws, what each leaves alone, and how often each change happens."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from harness_pgmgan import colour, geometry, views
from harness_pgmgan.views import VIEWS, View
from torch import Tensor
from torchvision.transforms import v2

from harness.training.batch_draws import BatchDraws

RANDOM = ["natural", "strong", "digits"]
CPU = torch.device("cpu")
DRAWS = BatchDraws(CPU)


def draw(n: int = 16, channels: int = 3, size: int = 32) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def smooth(n: int, channels: int = 3) -> Tensor:
    """Like photographs in that neighbouring pixels agree."""
    coarse = torch.rand(n, channels, 4, 4, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear") * 2 - 1


@pytest.mark.parametrize("name", list(VIEWS))
@pytest.mark.parametrize("channels", [1, 3])
def test_views_keep_shape_type_and_range(name: str, channels: int) -> None:
    images = draw(channels=channels)
    before = images.clone()
    torch.manual_seed(0)
    found = VIEWS[name](images, DRAWS)
    assert found.shape == images.shape
    assert found.dtype == images.dtype
    assert found.abs().max() <= 1 + 1e-6
    assert torch.equal(images, before)
    assert torch.equal(found, images) == (name == "none")


@pytest.mark.parametrize("name", RANDOM)
def test_each_call_and_each_image_has_draws_of_its_own(name: str) -> None:
    one = draw(1).expand(12, -1, -1, -1)
    torch.manual_seed(3)
    first, second = VIEWS[name](one, DRAWS), VIEWS[name](one, DRAWS)
    torch.manual_seed(3)
    assert torch.equal(VIEWS[name](one, DRAWS), first)
    assert not torch.equal(first, second)
    assert len(first.flatten(1).unique(dim=0)) >= 11


@pytest.mark.parametrize("name", RANDOM)
def test_views_are_the_same_under_autocast(name: str) -> None:
    images = draw(4)
    torch.manual_seed(0)
    expected = VIEWS[name](images, DRAWS)
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(VIEWS[name](images, DRAWS), expected)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 48, 40)])
@pytest.mark.parametrize("name", RANDOM)
def test_other_sizes_work(name: str, shape: tuple[int, int, int]) -> None:
    images = torch.zeros(3, *shape)
    assert VIEWS[name](images, DRAWS).shape == images.shape


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*VIEWS, "shifted"])
def test_two_devices_make_the_halves_of_what_one_makes(name: str, channels: int) -> None:
    view: View = partial(views.strong, shift=3) if name == "shifted" else VIEWS[name]
    images = draw(14, channels)

    def made(images: Tensor, draws: BatchDraws) -> Tensor:
        torch.manual_seed(3)  # as the loop does on every device before each step
        return torch.cat([view(images, draws), view(images, draws)])  # the second begins where the first left off

    halves = [made(half, BatchDraws(CPU, rank, 2)).chunk(2) for rank, half in enumerate(images.chunk(2))]
    expected = made(images, DRAWS).chunk(2)
    for number in range(2):
        assert torch.equal(torch.cat([half[number] for half in halves]), expected[number])


quiet = partial(views.natural, scale=(1.0, 1.0), jitter_share=0.0, grey_share=0.0)


def test_natural_flips_half_and_greys_a_fifth() -> None:
    images = draw(600, size=8)
    torch.manual_seed(0)
    found = quiet(images, DRAWS)
    # a ratio other than 1 does not fit into the whole area, so that crops of scale 1 are mostly whole
    straight = (found - images).abs().amax((1, 2, 3)) < 1e-5
    mirrored = (found - images.flip(-1)).abs().amax((1, 2, 3)) < 1e-5
    assert (straight | mirrored).all()
    assert mirrored.double().mean() == pytest.approx(0.5, abs=0.1)
    torch.manual_seed(0)
    channels = quiet(images, DRAWS, grey_share=0.2)
    grey = (channels.amax(1) - channels.amin(1)).amax((1, 2)) < 1e-5
    assert grey.double().mean() == pytest.approx(0.2, abs=0.08)


def test_natural_jitters_four_fifths() -> None:
    images = draw(600, size=8)
    torch.manual_seed(0)
    found = quiet(images, DRAWS, jitter_share=0.8)
    same = [(found - x).abs().amax((1, 2, 3)) < 1e-5 for x in (images, images.flip(-1))]
    assert (same[0] | same[1]).double().mean() == pytest.approx(0.2, abs=0.08)


def test_jitter_follows_the_law_of_torchvision() -> None:
    # the mean and the spread of single images, over many draws, and the same from torchvision's own class
    image = smooth(1) / 2 + 0.5
    torch.manual_seed(0)
    ours = torch.cat([views._jittered(image.expand(50, -1, -1, -1), (0.4, 0.4, 0.4, 0.1), DRAWS) for _ in range(24)])
    jitter = v2.ColorJitter(0.4, 0.4, 0.4, 0.1)
    theirs = torch.cat([jitter(image) for _ in range(1200)])
    for statistic in (lambda x: x.mean((2, 3)), lambda x: x.std((2, 3))):
        a, b = statistic(ours), statistic(theirs)
        error = (a.var(0) / len(a) + b.var(0) / len(b)).sqrt()
        # the order is one a batch: fewer orders were seen than images
        assert ((a.mean(0) - b.mean(0)).abs() < 5 * error + 0.01).all()
        torch.testing.assert_close(a.std(0), b.std(0), rtol=0.12, atol=0)


def test_jitter_takes_all_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    for name in ("brightened", "contrasted", "saturated", "hue_shifted"):
        monkeypatch.setattr(colour, name, lambda x, _, name=name: (seen.append(name), x)[1])
    torch.manual_seed(0)
    for _ in range(200):
        views._jittered(torch.zeros(1, 3, 2, 2), (0.4, 0.4, 0.4, 0.1), DRAWS)
    orders = {tuple(seen[start : start + 4]) for start in range(0, 800, 4)}
    assert len(orders) == 24
    seen.clear()
    views._jittered(torch.zeros(1, 1, 2, 2), (0.4, 0.4, 0.4, 0.1), DRAWS)
    assert sorted(seen) == ["brightened", "contrasted"]


def test_amounts_span_the_ranges_that_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Tensor] = {}

    def watch(module: object, name: str) -> None:
        monkeypatch.setattr(module, name, lambda x, amount: (seen.__setitem__(name, amount), x)[1])

    for name in ("brightened", "contrasted", "saturated", "hue_shifted", "contrasted_by_channel"):
        watch(colour, name)
    watch(geometry, "rotated")

    def spans(name: str, low: float, high: float, shape: tuple[int, ...]) -> bool:
        amount, room = seen[name], 0.02 * (high - low)
        inside = low <= amount.min() < low + room and high - room < amount.max() <= high
        return bool(inside) and amount.shape == shape

    images = torch.zeros(500, 3, 4, 4)
    torch.manual_seed(0)
    views.natural(images, DRAWS)
    for name in ("brightened", "contrasted", "saturated"):
        assert spans(name, 0.6, 1.4, (500,))
    assert spans("hue_shifted", -0.1, 0.1, (500,))
    views.natural(images, DRAWS, strength=(1.5, 0.0, 0.0, 0.0))
    assert spans("brightened", 0.0, 2.5, (500,))  # never below black
    views.digits(images, DRAWS)
    assert spans("rotated", -10.0, 10.0, (500,))
    assert spans("brightened", 0.6, 1.4, (500, 3))
    assert spans("contrasted_by_channel", 0.6, 1.4, (500, 3))


def test_digits_never_mix_channels_nor_flip() -> None:
    images = torch.full((40, 3, 32, 32), -1.0)
    images[:, 1, 8:24, 18:26] = 1.0  # a bar on the right, in one channel
    torch.manual_seed(0)
    found = views.digits(images, DRAWS)
    assert (found[:, [0, 2]] == -1).all()
    weight = found[:, 1] + 1
    middle = (weight * torch.arange(32)).sum((1, 2)) / weight.sum((1, 2))
    assert (middle[weight.sum((1, 2)) > 0] > 15.5).all()


def test_digits_change_channels_by_factors_of_their_own_but_move_them_together() -> None:
    images = smooth(8, 1).expand(-1, 3, -1, -1)
    torch.manual_seed(0)
    moved = views.digits(images, DRAWS, strength=0.0)
    torch.testing.assert_close(moved[:, 0], moved[:, 1])
    assert (moved - images).abs().amax((1, 2, 3)).min() > 0.05
    coloured = views.digits(images, DRAWS, scale=(1.0, 1.0), degrees=0.0)
    assert (coloured[:, 0] - coloured[:, 1]).abs().amax((1, 2)).min() > 1e-3


def test_strong_paints_one_grey_hole() -> None:
    images = torch.ones(400, 1, 32, 32)
    torch.manual_seed(0)
    found = views.strong(images, DRAWS, rounds=0)
    hole = found[:, 0] == 0
    assert ((found[:, 0] == 1) | hole).all()
    sides = [hole.any(dim).sum(1) for dim in (1, 2)]
    assert torch.equal(hole.sum((1, 2)), sides[0] * sides[1])  # a full rectangle
    assert max(int(side.max()) for side in sides) == 16
    assert torch.equal(views.strong(images, DRAWS, rounds=0, hole=0), images)


def test_strong_flips_half() -> None:
    images = draw(400, size=8)
    torch.manual_seed(0)
    found = views.strong(images, DRAWS, rounds=0, hole=0)
    mirrored = (found - images.flip(-1)).abs().amax((1, 2, 3)) < 1e-5
    assert ((found - images).abs().amax((1, 2, 3)) < 1e-5).logical_xor(mirrored).all()
    assert mirrored.double().mean() == pytest.approx(0.5, abs=0.12)


def test_strong_shifts_by_whole_pixels_and_brings_in_black() -> None:
    images = torch.ones(300, 1, 10, 10)
    torch.manual_seed(0)
    found = views.strong(images, DRAWS, rounds=0, hole=0, shift=3)[:, 0]
    black = found == -1
    assert ((found == 1) | black).all()
    for lost in (black.all(1), black.all(2)):  # columns, rows
        assert lost.sum(1).unique().tolist() == [0, 1, 2, 3]
        assert lost[:, 0].double().mean() == pytest.approx(3 / 7, abs=0.12)
        assert lost[:, -1].double().mean() == pytest.approx(3 / 7, abs=0.12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", RANDOM)
def test_views_are_made_where_the_images_are(name: str) -> None:
    view: View = VIEWS[name]
    images, draws = draw().cuda(), BatchDraws(torch.device("cuda"))
    torch.manual_seed(0)
    found = view(images, draws)
    torch.manual_seed(0)
    assert found.is_cuda
    assert torch.equal(view(images, draws), found)
