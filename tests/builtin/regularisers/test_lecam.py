"""LeCam: closed forms, and numbers of public code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.builtin.regularisers.lecam import Lecam, lecam
from harness.builtin.regularisers.lecam_settings import LecamSettings
from harness.builtin.regularisers.registry import SPECS
from harness.errors import SettingsError
from harness.overrides import validated
from harness.plugins import import_module


class OneDevice:
    """What the regulariser needs of a context."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def mean(self, value: Tensor) -> Tensor:
        return value


class WithAnother(OneDevice):
    """The first of two devices; the other one's means are given."""

    def __init__(self, real: float, fake: float) -> None:
        super().__init__()
        self.other = torch.tensor([real, fake])

    def mean(self, value: Tensor) -> Tensor:
        return (value + self.other) / 2


def regulariser(ctx: OneDevice | None = None, **settings: float) -> Lecam:
    return Lecam(LecamSettings.model_validate(settings), ctx or OneDevice())


def scores(*values: float) -> Tensor:
    return torch.tensor(values, requires_grad=True)


# -- the function --------------------------------------------------------------------------------------------


def test_distances_count_where_real_is_above_and_fake_is_below():
    ema_real, ema_fake = torch.tensor(1.0), torch.tensor(-1.0)
    # real: 3 above -1, below it, at it; fake: 1 below 1, above it
    value = lecam(torch.tensor([2.0, -5.0, -1.0]), torch.tensor([0.0, 7.0]), ema_real, ema_fake)
    torch.testing.assert_close(value, torch.tensor(9 / 3 + 1 / 2))
    assert value.shape == ()


def test_gradients_pull_real_scores_down_and_fake_ones_up_and_leave_the_rest():
    real, fake = scores(2.0, -5.0), scores(0.0, 7.0)
    value = lecam(real, fake, torch.tensor(1.0), torch.tensor(-1.0))
    of_real, of_fake = torch.autograd.grad(value, (real, fake))
    assert of_real.tolist() == [2 * 3 / 2, 0]
    assert of_fake.tolist() == [-2 * 1 / 2, 0]


def test_it_is_the_papers_two_sided_square_where_scores_are_on_their_own_side():
    real, fake = torch.linspace(0.5, 3, 11), torch.linspace(-3, -0.5, 7)
    ema_real, ema_fake = torch.tensor(0.4), torch.tensor(-0.3)
    paper = (real - ema_fake).square().mean() + (fake - ema_real).square().mean()
    torch.testing.assert_close(lecam(real, fake, ema_real, ema_fake), paper)


def test_gradients_of_first_and_second_order_match_finite_differences():
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(6, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    ema_real, ema_fake = torch.tensor(0.2), torch.tensor(-0.1)
    assert torch.autograd.gradcheck(lambda r, f: lecam(r, f, ema_real, ema_fake), (real, fake))
    assert torch.autograd.gradgradcheck(lambda r, f: lecam(r, f, ema_real, ema_fake), (real, fake))


def test_narrow_scores_are_squared_as_wide_ones():
    real, fake = torch.randn(8).bfloat16(), torch.randn(8).bfloat16()
    ema_real, ema_fake = torch.tensor(0.1234567), torch.tensor(-0.7654321)
    value = lecam(real, fake, ema_real, ema_fake)
    assert value.dtype == torch.float32
    assert torch.equal(value, lecam(real.float(), fake.float(), ema_real, ema_fake))


# -- the averages and the start ------------------------------------------------------------------------------


def test_averages_are_copies_before_the_start_and_move_from_it_on():
    one = regulariser(start=2, decay=0.75)
    means = []
    for step, level in enumerate((8.0, 4.0, 0.0, 16.0)):
        one.term(scores(level - 1, level + 1), scores(-level), step)
        means.append(one.means.tolist())
    assert means == [[8, -8], [4, -4], [3, -3], [0.75 * 3 + 0.25 * 16, -(0.75 * 3 + 0.25 * 16)]]


def test_the_term_first_applies_one_step_after_the_start_and_is_weighted():
    one = regulariser(start=2, decay=0.5, weight=0.25)
    terms = [one.term(scores(2.0), scores(-2.0), step).item() for step in range(5)]
    assert terms == [0, 0, 0, *[0.25 * (4.0**2 + 4.0**2)] * 2]


def test_the_averages_move_before_the_term_looks_at_them():
    one = regulariser(start=0, decay=0.5, weight=1.0)
    one.term(scores(0.0), scores(0.0), 0)
    # averages 1 and -1 once these are in; 2 - (-1) and 1 - (-2)
    assert one.term(scores(2.0), scores(-2.0), 1).item() == 9 + 9


def test_with_a_start_of_zero_the_first_means_are_copied_all_the_same():
    one = regulariser(start=0)
    one.term(scores(3.0), scores(-2.0), 0)
    assert one.means.tolist() == [3, -2]


def test_up_to_the_start_it_is_a_zero_without_a_gradient():
    real, fake = scores(2.0), scores(-2.0)
    one = regulariser(start=1)
    for step in range(2):
        term = one.term(real, fake, step)
        assert (term.item(), term.shape, term.requires_grad) == (0.0, (), False)
    assert one.term(real, fake, 2).requires_grad


def test_no_gradient_flows_through_the_averages():
    one = regulariser(start=0, decay=0.0, weight=1.0)
    one.term(scores(1.0), scores(0.0), 0)
    real, fake = scores(3.0, 1.0), scores(-1.0)
    of_real, of_fake = torch.autograd.grad(one.term(real, fake, 1), (real, fake))
    assert not one.means.requires_grad
    assert of_real.tolist() == [3 + 1, 1 + 1]  # 2 (real - ema_fake) / 2, with ema_fake -1 a constant
    assert of_fake.tolist() == [-2 * (2 + 1)]  # -2 (ema_real - fake), with ema_real 2 a constant


def test_terms_of_two_steps_may_be_differentiated_together():
    one = regulariser(start=0, decay=0.5, weight=1.0)
    one.term(scores(1.0), scores(0.0), 0)
    real, fake = scores(3.0), scores(-1.0)
    first = one.term(real, fake, 1)
    both = first + one.term(real, fake, 2)
    both.backward()
    assert real.grad is not None
    assert real.grad.item() == 2 * (3 + 0.5) + 2 * (3 + 0.75)


def test_averages_are_those_of_all_devices():
    one = regulariser(WithAnother(5.0, 1.0), start=1)
    one.term(scores(1.0), scores(-3.0), 0)
    assert one.means.tolist() == [3, -1]


def test_a_mean_of_many_narrow_scores_is_not_rounded():
    one = regulariser(start=1)
    one.term(torch.tensor([1.0, 1.0078125]).bfloat16(), torch.tensor([0.0]).bfloat16(), 0)
    assert one.means.dtype == torch.float32
    assert one.means.tolist() == [1.00390625, 0]


def test_scores_may_lie_in_a_column():
    flat, column = (regulariser(start=0, weight=1.0) for _ in range(2))
    real, fake = torch.randn(6), torch.randn(5)
    for step in range(2):
        terms = flat.term(real, fake, step), column.term(real[:, None], fake[:, None], step)
    assert terms[0] == terms[1] > 0


def test_no_step_of_it_waits_for_a_number():
    """A tensor without values can answer no question that the host would ask."""
    one = regulariser(OneDevice("meta"), start=1)
    real = torch.empty(4, device="meta", requires_grad=True)
    for step in range(3):
        assert one.term(real, real, step).device.type == "meta"


# -- state ---------------------------------------------------------------------------------------------------


def test_state_brings_the_averages_back_in_place():
    one, other = (regulariser(start=0, decay=0.5, weight=1.0) for _ in range(2))
    one.term(scores(1.0), scores(-1.0), 0)
    means = other.means
    other.load_state_dict(one.state_dict())
    assert other.means is means
    assert other.means is not one.means
    terms = [each.term(scores(3.0), scores(-5.0), 1) for each in (one, other)]
    assert terms[0] == terms[1] == (3 + 3) ** 2 + (2 + 5) ** 2


def test_state_saved_before_the_first_step_begins_anew():
    one = regulariser(start=0)
    one.load_state_dict(regulariser(start=0).state_dict())
    one.term(scores(3.0), scores(-2.0), 0)
    assert one.means.tolist() == [3, -2]


# -- settings ------------------------------------------------------------------------------------------------


def test_defaults_are_those_of_the_authors_biggan():
    assert LecamSettings().model_dump() == {"weight": 0.3, "decay": 0.9, "start": 1000}


@pytest.mark.parametrize("settings", [{"decay": 1.0}, {"decay": -0.1}, {"weight": -1.0}, {"start": -1}, {"decai": 0.5}])
def test_wrong_values_and_keys_are_refused(settings):
    with pytest.raises(SettingsError, match=r"weight|decay|start"):
        validated(LecamSettings, settings, "regulariser 'lecam'")


def test_it_is_offered_by_name():
    (spec,) = SPECS
    assert spec.name == "lecam"
    assert import_module(spec.regulariser) is Lecam
    assert import_module(spec.settings) is LecamSettings


# -- numbers of public code ----------------------------------------------------------------------------------

#: settings, the first step's number, and what both averages begin with where they do not begin as copies
TRACKERS = {
    "google_start10_decay0.9": ({"start": 10, "decay": 0.9}, 0, None),
    "google_start10_decay0.99": ({"start": 10, "decay": 0.99}, 0, None),
    "google_start0_decay0.9_init1000": ({"start": 0, "decay": 0.9}, 0, 1000.0),
    "google_start3_firstitr1": ({"start": 3, "decay": 0.9}, 1, None),
    "studiogan_start10_decay0.99": ({"start": 10, "decay": 0.99}, 0, None),
}


@pytest.fixture(scope="module")
def numbers(parity: Path) -> dict[str, Tensor]:
    with np.load(parity / "lecam.npz") as stored:
        return {key: torch.from_numpy(stored[key]) for key in stored.files}


def close(ours: Tensor, theirs: Tensor, share: float) -> None:
    """Within a share of the largest value."""
    torch.testing.assert_close(ours, theirs, rtol=0, atol=share * theirs.abs().max().item())


@pytest.mark.parametrize("name", TRACKERS)
def test_every_step_gives_what_public_code_gives(numbers, name):
    settings, first, beginning = TRACKERS[name]
    one = regulariser(weight=1.0, **settings)
    if beginning is not None:
        one.load_state_dict({"means": torch.full((2,), beginning), "begun": True})
    steps = len(numbers["real_logits"])
    means, terms, values, of_real, of_fake = [], [], [], [], []
    for step in range(steps):
        real, fake = (numbers[f"{side}_logits"][step, :, 0].clone().requires_grad_() for side in ("real", "fake"))
        terms.append(one.term(real, fake, first + step))
        means.append(one.means.clone())
        values.append(lecam(real, fake, *one.means))
        gradients = torch.autograd.grad(values[-1], (real, fake))
        if terms[-1].requires_grad:
            assert all(map(torch.equal, gradients, torch.autograd.grad(terms[-1], (real, fake))))
        of_real.append(gradients[0])
        of_fake.append(gradients[1])
    close(torch.stack(means), numbers[f"{name}:ema_real_fake_after_update"], 2e-5)
    close(torch.stack(values), numbers[f"{name}:reg_value"], 2e-5)
    close(torch.stack(terms), numbers[f"{name}:reg_applied"], 2e-5)
    assert [term.requires_grad for term in terms] == (numbers[f"{name}:reg_applied"] != 0).tolist()
    close(torch.stack(of_real), numbers[f"{name}:grad_real"][..., 0], 1e-4)
    close(torch.stack(of_fake), numbers[f"{name}:grad_fake"][..., 0], 1e-4)


def test_every_tracker_that_was_run_is_followed(numbers):
    stored = {key.partition(":")[0] for key in numbers if key.endswith(":reg_applied")}
    assert stored == set(TRACKERS)
    formulas = {key.partition(":")[0] for key in numbers if key.endswith(":reg_value")} - stored
    assert all(name.endswith("FORMULA") for name in formulas)
