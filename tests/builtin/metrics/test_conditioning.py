from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from linear_latents import Linear, Styled, matrix, offer_of, values

from harness.builtin.metrics.conditioning import (
    Conditioning,
    ConditionNumbers,
    condition_numbers,
    mean_and_worst,
    worst_count,
)
from harness.builtin.metrics.spaces import points
from harness.contracts.settings import EvaluationSettings
from harness.errors import EvaluationError
from harness.evaluation import Bench
from harness.randomness import Seeds, derived_seed


def numbers(count: int = 40, space: Any = "z", **how: Any) -> ConditionNumbers:
    return ConditionNumbers(space, count, 20, "eval", **how)


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_linear_generator_has_a_closed_form(bench: Callable[..., Bench], space: Any) -> None:
    at_hand = bench(Styled(matrix(6, 16)))
    x = points(at_hand, space, "conditioning", range(40), 0).double()
    d = Seeds(derived_seed("conditioning", at_hand.seed), range(40)).normal("step", 6).double()
    image, change = x @ matrix(6, 16).double(), d @ matrix(6, 16).double()
    closed = (change.norm(dim=1) / image.norm(dim=1)) / (d.norm(dim=1) / x.norm(dim=1))
    assert torch.allclose(at_hand.get(numbers(space=space))[:, 0], closed, rtol=1e-2)


def test_numbers_of_a_linear_generator_lie_below_that_of_its_matrix(bench: Callable[..., Bench]) -> None:
    largest = float(torch.linalg.cond(matrix(6, 16)))
    found = bench(Linear(matrix(6, 16))).get(numbers(400))[:, 0]
    assert 1.0 / largest < float(found.min()) < 1.0 < float(found.max()) < 1.01 * largest


def test_a_multiple_of_the_identity_has_number_one(bench: Callable[..., Bench]) -> None:
    found = bench(Linear(0.01 * torch.eye(16))).get(numbers())[:, 0]
    assert torch.allclose(found, torch.ones(40, dtype=torch.float64), rtol=1e-2)


def test_a_hundred_times_larger_step_gives_the_same_numbers(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Linear(matrix(6, 16), noise=1.0))
    small, large = at_hand.get(numbers()), at_hand.get(numbers(step=1e-2))
    assert torch.allclose(small, large, rtol=1e-2)


def test_steps_have_the_paper_s_size_in_every_element(bench: Callable[..., Bench]) -> None:
    x, moved = numbers().ends(bench(Linear(matrix(200, 16))), range(50))
    step = (moved.double() - x.double()).flatten()
    assert float(step.std()) == pytest.approx(1e-4, rel=0.05)
    assert float(step.mean()) == pytest.approx(0.0, abs=1e-5)


def test_norms_are_over_all_elements_of_image_and_latent() -> None:
    x = torch.zeros(1, 2, 2)
    x[0, 1, 1] = 2.0
    moved = x + torch.tensor([[0.3, 0.0], [0.0, 0.4]])
    image = torch.full((1, 1, 2, 2), 0.5)
    changed = image + torch.tensor([[0.0, 0.2], [0.0, 0.0]])
    assert condition_numbers((x, moved), (image, changed)).tolist() == pytest.approx([(0.2 / 1.0) / (0.5 / 2.0)])


def test_an_image_of_zeros_is_refused() -> None:
    x, image = torch.ones(2, 3), torch.ones(2, 1, 2, 2)
    image[1] = 0.0
    with pytest.raises(EvaluationError, match="exactly 0 everywhere"):
        condition_numbers((x, x + 1), (image, image + 1))


@pytest.mark.parametrize(("pairs", "worst"), [(50_000, 1000), (1000, 20), (100, 2), (10, 1), (2, 1)])
def test_the_worst_are_one_in_fifty_and_at_least_one(pairs: int, worst: int) -> None:
    assert worst_count(pairs) == worst


def test_mean_and_worst_are_means_of_what_they_say() -> None:
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    found = mean_and_worst(pairs=torch.arange(1.0, 1001.0)[order, None])
    assert found["mc"].value == 500.5
    assert found["mc"].std_error == pytest.approx(torch.arange(1.0, 1001.0).std().item() / 1000**0.5)
    assert found["mc"].std_error_of == "sampling"
    assert found["ttmc"].value == (981 + 1000) / 2
    assert found["mc"].details == found["ttmc"].details == {"max": 1000.0}


def test_each_space_has_a_protocol_that_counts_the_worst(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Styled(matrix(6, 16)))
    measured = Conditioning().measurements(offer_of(at_hand, EvaluationSettings(pairs=100, block=20), (1, 4, 4)))
    ids = [protocol.id for each in measured for protocol in each.protocols.values()]
    assert ids == [
        f"{name}[{space},std0.0001,{worst}100pairs,float32,block20,bn-eval]"
        for space in ("z", "w")
        for name, worst in (("mc", ""), ("ttmc", "top2,"))
    ]
    for each in measured:
        assert values(at_hand, each).keys() == each.protocols.keys()


def test_z_alone_where_there_are_no_styles(bench: Callable[..., Bench]) -> None:
    offer = offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(pairs=100), (1, 4, 4))
    assert len(Conditioning().measurements(offer)) == 1


def test_one_pair_is_too_few(bench: Callable[..., Bench]) -> None:
    offer = offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(pairs=1), (1, 4, 4))
    with pytest.raises(EvaluationError, match="at least 2 pairs, not 1"):
        Conditioning().measurements(offer)
