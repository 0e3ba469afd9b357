"""p's walk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.builtin.augmentations.ada.controller import Controller, moved

CPU = torch.device("cpu")


def controller(p: float = 0.0, target: float = 0.6, interval: int = 1, kimg: int = 1) -> Controller:
    return Controller(p, target, interval, kimg, CPU)


def walked(steps: int, sign: float, batch: int = 100, **settings: float) -> list[float]:
    """p after each of some steps in which every score has this sign."""
    walker, found = controller(**settings), []
    for _ in range(steps):
        walker.add(torch.tensor(sign * batch), batch)
        walker.step(batch)
        found.append(float(walker.p))
    return found


@pytest.mark.parametrize(("mean_sign", "expected"), [(0.8, 0.35), (0.6, 0.3), (0.4, 0.25), (-1.0, 0.25)])
def test_p_moves_by_a_fixed_amount_towards_the_target_and_a_tie_leaves_it(mean_sign, expected):
    found = moved(torch.tensor(0.3), torch.tensor(mean_sign), 0.6, 0.05)
    assert float(found) == pytest.approx(expected)


def test_p_rises_by_one_in_the_images_asked_for_and_goes_on():
    assert walked(12, 1.0)[9::2] == pytest.approx([1.0, 1.2])


def test_p_comes_back_as_fast_as_it_rose_and_stops_at_nought():
    assert walked(4, -1.0, p=0.25) == pytest.approx([0.15, 0.05, 0.0, 0.0])


def test_p_moves_once_an_interval_by_all_its_images():
    assert walked(6, 1.0, interval=3) == pytest.approx([0.0, 0.0, 0.3, 0.3, 0.3, 0.6])


def test_signs_are_averaged_over_the_interval_and_then_forgotten():
    walker = controller(interval=2, target=0.0)
    for signs in (100.0, -60.0, -10.0, -10.0):  # up, although the last step alone says down; then down
        walker.add(torch.tensor(signs), 100)
        walker.step(100)
        if walker.steps == 0:
            assert walker.seen == walker.images == 0
            assert float(walker.signs) == 0.0
        else:
            assert float(walker.mean_sign) == pytest.approx(signs / 100)
    assert float(walker.p) == pytest.approx(0.0)
    assert torch.isnan(walker.mean_sign)


def test_a_tie_over_many_scores_is_a_tie():
    for batch in (5, 80, 320, 5120):
        assert walked(1, 0.6, batch=batch, p=0.3) == [pytest.approx(0.3)]


def test_a_controller_goes_on_from_its_state_in_place():
    first, second = controller(p=0.5, target=0.0, interval=3), controller(target=0.0, interval=3)
    for _ in range(5):
        first.add(torch.tensor(7.0), 8)
        first.step(8)
    p, signs = second.p, second.signs
    second.load_state_dict({name: value for name, value in first.state_dict().items()})
    assert second.p is p
    assert second.signs is signs
    for walker in (first, second):
        walker.add(torch.tensor(-10.0), 8)
        walker.step(8)
    assert first.state_dict() == second.state_dict()
    assert float(first.p) == pytest.approx(0.548)  # 24 images up, and, with 7 + 7 - 10 signs, 24 more


SEQUENCES = (
    *("a", "b_then_down", "c_batch64_kimg100", "d_dreg_counted_twice", "e_saturate_above_1"),
    *("f_tie_0.6", "g_zero_logits", "h_floor_at_0"),
)


def test_every_stored_sequence_is_known(parity):
    with np.load(parity / "ada_controller.npz") as stored:
        assert {key.partition(":")[0] for key in stored.files} == set(SEQUENCES)


@pytest.mark.parametrize("name", SEQUENCES)
def test_p_walks_as_in_the_public_code(parity, name):
    with np.load(parity / "ada_controller.npz") as stored:
        of = {key.partition(":")[2]: stored[key] for key in stored.files if key.startswith(f"{name}:")}
    batch, interval, target, kimg, p, twice_every = (
        float(value) for value in of["cfg_batch_interval_target_kimg_p0_dregevery"]
    )
    walker = Controller(p, round(target, 6), int(interval), round(kimg), CPU)
    found, means = [], []
    for number, logits in enumerate(torch.from_numpy(of["logits"])):
        for _ in range(2 if twice_every and number % int(twice_every) == 0 else 1):
            walker.add(logits.sign().sum(), len(logits))
        if walker.steps == interval - 1:
            means.append(float(walker.mean_sign))
        walker.step(int(batch))
        found.append(float(walker.p))
    assert means == pytest.approx(of["rt"], abs=1e-6)
    assert found == pytest.approx(of["p_after_every_iteration"], abs=1e-6)
    assert found[int(interval) - 1 :: int(interval)] == pytest.approx(of["p_after_update"], abs=1e-6)
