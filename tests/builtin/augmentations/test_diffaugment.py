"""Differentiable augmentation: closed forms, slices and loops as oracles, and numbers of the authors' code."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.augmentations.diffaugment import (
    DiffAugment,
    box,
    brightness,
    contrast,
    cutout,
    reach,
    saturation,
    translation,
)
from harness.builtin.augmentations.diffaugment_settings import DiffAugmentSettings
from harness.builtin.augmentations.registry import SPECS
from harness.plugins import import_module
from harness.training.batch_draws import BatchDraws

SIZES = ("h32w32c3", "h16w16c3", "h15w15c3", "h16w24c3", "h28w28c1")
POLICIES = (
    *("color", "translation", "cutout"),
    *("color,translation,cutout", "translation,cutout", "color,cutout"),
)
SIDES = [1, 2, 3, 4, 7, 12, 15, 16, 28]


def some(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def augment(policy: str, device: str = "cpu", rank: int = 0, world: int = 1) -> DiffAugment:
    settings = DiffAugmentSettings.model_validate({"policy": policy})
    return DiffAugment(settings, BatchDraws(torch.device(device), rank, world))


class Scripted:
    """Draws that say what is asked of them and always answer with the least, or with the largest, number."""

    def __init__(self, largest: bool) -> None:
        self.largest = largest
        self.asked: list[tuple[str, int]] = []

    def uniform(self, n: int, *shape: int) -> Tensor:
        self.asked.append(("uniform", n))
        return torch.full((n, *shape), 1.0 - 2**-24 if self.largest else 0.0)

    def normal(self, n: int, *shape: int) -> Tensor:
        raise AssertionError("nothing here is normal")

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        self.asked.append((f"below {high}", n))
        return torch.full((n, *shape), high - 1 if self.largest else 0)


# -- colours -------------------------------------------------------------------------------------------------


def test_brightness_adds_what_was_drawn_less_a_half_and_clips_nothing():
    images = some(3, 2, 4, 5)
    changed = brightness(images, torch.tensor([0.0, 0.5, 0.75]))
    torch.testing.assert_close(changed - images, torch.tensor([-0.5, 0.0, 0.25])[:, None, None, None] + 0 * images)
    assert changed.min() < -1


def test_saturation_keeps_a_pixels_mean_and_scales_its_distance_from_it():
    images = some(4, 3, 4, 5)
    changed = saturation(images, torch.tensor([0.0, 0.25, 0.5, 0.75]))
    grey = images.mean(1, keepdim=True)
    torch.testing.assert_close(changed[0], grey[0].expand(3, -1, -1))
    torch.testing.assert_close(changed[1], (images + grey)[1] / 2)
    assert torch.equal(changed[2], images[2])
    torch.testing.assert_close((changed - images)[3], (images - grey)[3] / 2)


def test_grey_images_have_no_saturation_to_change():
    images = some(4, 1, 6, 6, dtype=torch.float32).requires_grad_()
    changed = saturation(images, torch.tensor([0.0, 0.3, 0.7, 0.9]))
    assert torch.equal(changed, images)
    (gradient,) = torch.autograd.grad(changed.square().sum(), images)
    assert torch.equal(gradient, 2 * images)


def test_contrast_keeps_an_images_mean_and_scales_its_spread():
    images = some(3, 2, 6, 7)
    changed = contrast(images, torch.tensor([0.0, 0.5, 0.75]))
    flat, was = changed.flatten(1), images.flatten(1)
    torch.testing.assert_close(flat.mean(1), was.mean(1))
    torch.testing.assert_close(flat.std(1), was.std(1) * torch.tensor([0.5, 1.0, 1.25], dtype=torch.float64))
    assert torch.equal(changed[1], images[1])


# -- shifts and holes ----------------------------------------------------------------------------------------


def test_reach_and_box_are_an_eighth_and_a_half_of_the_side_rounded_half_up():
    assert [reach(side) for side in range(1, 200)] == [int(side / 8 + 0.5) for side in range(1, 200)]
    assert [box(side) for side in range(1, 200)] == [int(side / 2 + 0.5) for side in range(1, 200)]


@pytest.mark.parametrize("height", [4, 9])
@pytest.mark.parametrize("width", [4, 6])
def test_translation_reads_from_a_slice_of_the_image_in_a_frame_of_zeros(height, width):
    shifts = [(rows, columns) for rows in range(-height, height + 1) for columns in range(-width, width + 1)]
    images = some(len(shifts), 2, height, width)
    rows, columns = torch.tensor(shifts).unbind(1)
    moved = translation(images, rows, columns)
    framed = torch.nn.functional.pad(images, (width, width, height, height))
    for index, (down, right) in enumerate(shifts):
        top, left = height + down, width + right
        assert torch.equal(moved[index], framed[index, :, top : top + height, left : left + width])


def test_translation_gives_gradients_to_the_pixels_that_were_read():
    """<T x, y> = <x, T' y>, where T' shifts the other way."""
    images, weights = some(5, 3, 8, 6).requires_grad_(), some(5, 3, 8, 6, seed=1)
    rows, columns = torch.tensor([-2, 0, 1, 3, 8]), torch.tensor([1, 0, -2, 2, 0])
    (gradient,) = torch.autograd.grad((translation(images, rows, columns) * weights).sum(), images)
    assert torch.equal(gradient, translation(weights, -rows, -columns))


@pytest.mark.parametrize("height", SIDES)
@pytest.mark.parametrize("width", [2, 15, 24])
def test_cutout_leaves_a_hole_of_half_the_sides_clipped_to_the_image(height, width):
    size = box(height), box(width)
    middles = [(i, j) for i in range(height + 1 - size[0] % 2) for j in range(width + 1 - size[1] % 2)]
    images = 1.0 + torch.zeros(len(middles), 2, height, width)
    changed = cutout(images, *torch.tensor(middles).unbind(1))
    for (row, column), image in zip(middles, changed, strict=True):
        top, left = row - size[0] // 2, column - size[1] // 2
        expected = torch.ones(2, height, width)
        expected[:, max(top, 0) : top + size[0], max(left, 0) : left + size[1]] = 0
        assert torch.equal(image, expected)
        assert (image == 0).any()


def test_what_is_cut_out_gets_no_gradient_whatever_stood_there():
    images = torch.full((1, 1, 4, 4), float("nan"), requires_grad=True)
    holes = cutout(images, torch.tensor([2]), torch.tensor([2]))
    assert holes[0, 0, 1:3, 1:3].tolist() == [[0, 0], [0, 0]]
    (gradient,) = torch.autograd.grad(holes.sum(), images)
    assert gradient[0, 0].tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]


# -- all of them ---------------------------------------------------------------------------------------------

U = torch.tensor([0.1, 0.4, 0.8])
ROWS, COLUMNS = torch.tensor([-1, 0, 2]), torch.tensor([1, 4, 0])
CHANGES: list[partial[Tensor]] = [
    *(partial(change, u=U) for change in (brightness, saturation, contrast)),
    partial(translation, rows=ROWS, columns=COLUMNS),
    partial(cutout, rows=ROWS + 1, columns=COLUMNS),
]
NAMES = ["brightness", "saturation", "contrast", "translation", "cutout"]


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_gradients_of_first_and_second_order_match_finite_differences(change):
    images = some(3, 2, 5, 4).requires_grad_()
    assert torch.autograd.gradcheck(change, images)
    assert torch.autograd.gradgradcheck(lambda x: change(x).pow(3), images)


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_images_are_changed_as_wide_ones_and_rounded_once(change, dtype):
    images = some(3, 2, 5, 4).to(dtype)
    changed = change(images)
    assert changed.dtype == dtype
    assert torch.equal(changed, change(images.float()).to(dtype))


@pytest.mark.parametrize("change", CHANGES, ids=NAMES)
def test_each_image_is_changed_by_its_own_draw_alone_and_stays_itself(change):
    images = some(3, 2, 5, 4)
    before = images.clone()
    alone = []
    for index in range(3):
        row = slice(index, index + 1)
        alone.append(change.func(images[row], **{name: drawn[row] for name, drawn in change.keywords.items()}))
    torch.testing.assert_close(change(images), torch.cat(alone))
    assert torch.equal(images, before)


# -- the class -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", SIDES)
@pytest.mark.parametrize(("largest", "channels"), [(False, 3), (True, 3), (True, 1)])
def test_draws_are_asked_for_in_the_order_of_the_policy_up_to_reach_and_box(height, largest, channels):
    width = 24
    draws = Scripted(largest)
    images = some(2, channels, height, width, dtype=torch.float32)
    changed = DiffAugment(DiffAugmentSettings(policy=("cutout", "translation", "color")), draws)(images)
    places = [side + 1 - box(side) % 2 for side in (height, width)]
    shifts = [2 * reach(side) + 1 for side in (height, width)]
    assert draws.asked == [*((f"below {high}", 2) for high in (*places, *shifts)), *[("uniform", 2)] * 3]
    sign = 1 if largest else -1
    expected = cutout(images, *(torch.full((2,), place - 1 if largest else 0) for place in places))
    expected = translation(expected, *(torch.full((2,), sign * reach(side)) for side in (height, width)))
    for change in (brightness, saturation, contrast):
        expected = change(expected, draws.uniform(2))
    assert torch.equal(changed, expected)


def test_an_empty_policy_changes_nothing_and_draws_nothing():
    draws, images = Scripted(False), some(2, 3, 8, 8)
    assert torch.equal(DiffAugment(DiffAugmentSettings(policy=()), draws)(images), images)
    assert draws.asked == []


@pytest.mark.parametrize("policy", POLICIES)
def test_two_devices_change_their_halves_as_one_changes_the_batch(policy):
    images = some(6, 3, 12, 10, dtype=torch.float32)
    parts = []
    for rank in range(2):
        torch.manual_seed(3)
        parts.append(augment(policy, rank=rank, world=2)(images[rank * 3 : rank * 3 + 3]))
    torch.manual_seed(3)
    torch.testing.assert_close(torch.cat(parts), augment(policy)(images))


def test_no_step_of_it_waits_for_a_number():
    """A tensor without values can answer no question that the host would ask."""
    images = torch.empty(4, 3, 16, 24, device="meta", requires_grad=True)
    changed = augment("color,translation,cutout", "meta")(images)
    assert changed.shape == images.shape
    changed.sum().backward()
    assert images.grad is not None


def test_it_can_train_after_a_first_call_in_inference_mode():
    images = some(2, 3, 37, 41, dtype=torch.float32)  # sides that no other test has
    with torch.inference_mode():
        augment("translation,cutout")(images)
    images.requires_grad_()
    augment("translation,cutout")(images).square().sum().backward()
    assert images.grad is not None


def test_it_is_offered_by_name():
    (spec,) = (spec for spec in SPECS if spec.name == "diffaugment")
    assert import_module(spec.augmentation) is DiffAugment
    assert import_module(spec.settings) is DiffAugmentSettings


def test_it_keeps_no_state_and_scores_do_not_change_it():
    one = augment("color")
    one.observe(torch.ones(3))
    assert one.state_dict() == {}
    one.load_state_dict(one.state_dict())


# -- numbers of the authors' code ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def numbers(parity: Path) -> dict[str, Tensor]:
    with np.load(parity / "diffaugment.npz") as stored:
        return {key: torch.from_numpy(stored[key]) for key in stored.files}


def close(ours: Tensor, theirs: Tensor, share: float) -> None:
    """Within a share of the largest value."""
    torch.testing.assert_close(ours, theirs, rtol=0, atol=share * theirs.abs().max().item())


def changed_with(numbers: dict[str, Tensor], key: str, policy: str, images: Tensor) -> Tensor:
    """The functions, one after another, with the stored draws."""
    drawn = {name: numbers[f"{key}:{name}"].flatten() for name in names_of(policy)}
    for word in policy.split(","):
        if word == "color":
            images = brightness(images, drawn["brightness_u"])
            images = saturation(images, drawn["saturation_u"])
            images = contrast(images, drawn["contrast_u"])
        elif word == "translation":
            images = translation(images, drawn["translation_x_rows"], drawn["translation_y_cols"])
        else:
            images = cutout(images, drawn["cutout_off_x_rows"], drawn["cutout_off_y_cols"])
    return images


def names_of(policy: str) -> list[str]:
    by_word = {
        "color": ["brightness_u", "saturation_u", "contrast_u"],
        "translation": ["translation_x_rows", "translation_y_cols"],
        "cutout": ["cutout_off_x_rows", "cutout_off_y_cols"],
    }
    return [name for word in policy.split(",") for name in by_word[word]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_functions_give_what_the_authors_code_gives_with_the_same_draws(numbers, size, policy, seed):
    key = f"{size}:{policy}:seed{seed}"
    close(changed_with(numbers, key, policy, numbers[f"{size}:in"]), numbers[f"{key}:out"], 2e-5)


@pytest.mark.parametrize("size", [size for size in SIZES if size.endswith("c3")])
@pytest.mark.parametrize("policy", POLICIES)
def test_gradients_are_those_of_the_authors_code(numbers, size, policy):
    key = f"{size}:{policy}:seed0"
    images = numbers[f"{size}:in"].clone().requires_grad_()
    value = (changed_with(numbers, key, policy, images) * numbers[f"{size}:proj"]).sum()
    (gradient,) = torch.autograd.grad(value, images)
    close(gradient, numbers[f"{key}:grad_in_for_proj"], 1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_class_draws_in_the_order_of_the_authors_code(numbers, size, policy, seed):
    torch.manual_seed(seed)
    close(augment(policy)(numbers[f"{size}:in"]), numbers[f"{size}:{policy}:seed{seed}:out"], 2e-5)


@pytest.mark.parametrize("size", SIZES)
def test_images_with_channels_last_in_memory_are_changed_alike(numbers, size):
    images = numbers[f"{size}:in"].to(memory_format=torch.channels_last)
    torch.manual_seed(0)
    changed = augment("color,translation,cutout")(images)
    close(changed, numbers[f"{size}:channels_last:seed0:out_nhwc"].permute(0, 3, 1, 2), 2e-5)


def test_nothing_that_is_stored_is_left_unread(numbers):
    read = {f"{size}:in" for size in SIZES} | {f"{size}:channels_last:seed0:out_nhwc" for size in SIZES}
    for size in SIZES:
        for policy in POLICIES:
            read |= {f"{size}:{policy}:seed{seed}:{name}" for seed in (0, 1) for name in [*names_of(policy), "out"]}
        if size.endswith("c3"):
            read |= {f"{size}:proj", *(f"{size}:{policy}:seed0:grad_in_for_proj" for policy in POLICIES)}
    assert set(numbers) == read
